/**
 * The quickstart without given masks (SYNTHETIC CT), after `npm run quickstart` has set things up:
 *
 *     node examples/phantom/derived-masks.mjs
 *
 * trains a small segmentation model on a synthetic cohort of its own (unless runs/phantom-segment/model is there, which may
 * be any model folder of nnU-Net v2), derives the masks of the quickstart's cohort, trains on them, and predicts one case
 * from its image alone. It shows how the parts go together, not good masks: the small model that examples/phantom/segment.yaml
 * trains was seen to miss most lesions (median Dice 0.00 of 30 derived masks, 0.30 on its own 7 test cases before cleaning).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const runs = (name) => join(root, 'runs', name);
const run = (app, ...args) =>
  execFileSync(process.execPath, [join(root, `apps/${app}/dist/cli.js`), ...args], { stdio: 'inherit' });

const model = runs('phantom-segment/model');
if (!existsSync(model)) {
  // other patients than those of the study: seed 8, not 7
  run('train', 'phantom', '--out', runs('phantom-segment-cohort'), '--cases', '24', '--seed', '8');
  const config = join(root, 'examples/phantom/segment.yaml');
  run('train', 'segment', '--config', config, '--out', runs('phantom-segment'));
}

run('train', 'phantom', '--out', runs('phantom-cohort'), '--cases', '200', '--seed', '7');
const rows = readFileSync(runs('phantom-cohort/cohort.csv'), 'utf8').trim().split('\n');
const [header, ...cases] = rows.map((row) => row.split(','));
const mask = header.indexOf('mask');
const emptied = [header, ...cases.map((row) => row.with(mask, ''))];
writeFileSync(runs('phantom-cohort/without-masks.csv'), `${emptied.map((row) => row.join()).join('\n')}\n`);

const out = runs('quickstart-derived-masks');
run('train', 'fit', '--config', join(root, 'examples/phantom/derived-masks.yaml'), '--out', out);
const [, image] = cases[0];
const options = ['--image', join(runs('phantom-cohort'), image), '--segmentation', model];
run('infer', 'predict', '--model', join(out, 'bundle'), ...options, '--out', join(out, 'prediction'));
