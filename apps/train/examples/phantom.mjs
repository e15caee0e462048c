/**
 * The phantom study from nothing to a verdict; goes on where it was stopped:
 *
 *   node apps/train/examples/phantom.mjs [--out runs/phantom-study] [--workers 2]
 *
 * `--out` has to be where phantom.yaml finds its cohort, unless another `--config` is given. Exit code 1 where the AUC is
 * more than 0.05 below the best reachable on the held-out cases, or the interval of a control leaves 0.5 out.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrapCi, rocAuc } from '@onco-response/metrics';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(here, '../../../runs/phantom-study') },
    config: { type: 'string', default: join(here, 'phantom.yaml') },
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '11' },
    workers: { type: 'string', default: '2' },
  },
});
const cohort = join(values.out, 'cohort');
const run = join(values.out, 'run');
onco('phantom', '--out', cohort, '--cases', values.cases, '--seed', values.seed);
onco('fit', '--config', values.config, '--out', run, '--workers', values.workers);

const phantom = JSON.parse(readFileSync(join(cohort, 'phantom.json'), 'utf8'));
const [head, ...lines] = readFileSync(join(run, 'predictions.csv'), 'utf8').trim().split('\n');
const columns = head.split(',');
const test = lines
  .map((line) => Object.fromEntries(line.split(',').map((cell, i) => [columns[i], cell])))
  .filter(({ split }) => split === 'test');
const truthOf = ({ case: id }) => phantom.cases[Number(id.slice('case-'.length)) - 1];

let failures = 0;
const byVariant = new Map();
for (const row of test) byVariant.set(row.variant, [...(byVariant.get(row.variant) ?? []), row]);
for (const [variant, rows] of byVariant) {
  const labels = rows.map(({ label }) => Number(label));
  const { estimate, lower, upper } = bootstrapCi(
    rocAuc,
    labels,
    rows.map(({ probability }) => Number(probability)),
    { resamples: 2000, seed: 0, stratified: true },
  );
  const shown = `${variant}: ${rows.length} held-out cases, AUC ${estimate.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
  if (variant === 'planted signal') {
    // The labels as they were drawn, ordered by what they were drawn from.
    const best = rocAuc(
      labels,
      rows.map((row) => truthOf(row).latent),
    );
    say(
      estimate >= best - 0.05,
      `${shown}; best reachable ${best.toFixed(3)} on these cases (${phantom.reachableAuc.population.toFixed(3)} on average), ${(best - estimate).toFixed(3)} above`,
    );
  } else {
    say(lower <= 0.5 && upper >= 0.5, `${shown}; the interval has to hold 0.5`);
  }
}
process.exitCode = failures > 0 ? 1 : 0;

function say(passed, text) {
  if (!passed) failures++;
  console.log(`${passed ? 'passed' : 'FAILED'}: ${text}`);
}

function onco(...args) {
  const { status } = spawnSync(process.execPath, [join(here, '../dist/cli.js'), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
