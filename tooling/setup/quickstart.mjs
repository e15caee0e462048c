/**
 * `npm run quickstart`: from a bare clone to a trained, evaluated and explained model on a synthetic cohort, and one
 * prediction with it. A second run finds what the first one made.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { oncoInfer, oncoTrain, prepareWorkspace } from './workspace.mjs';

const root = prepareWorkspace();
const cohort = join(root, 'runs/phantom-cohort');
const out = join(root, 'runs/quickstart');

console.log('\nquickstart: a synthetic cohort, a response model trained on it, and its report');
const start = performance.now();
oncoTrain('phantom', '--out', cohort, '--cases', '200', '--seed', '7');
oncoTrain('fit', '--config', join(root, 'examples/phantom/study.yaml'), '--out', out);

// the surest positive test case: case-0012 is the twelfth row of the manifest
const rows = (file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
const [surest] = rows(join(out, 'predictions.csv'))
  .filter(([, split]) => split === 'test')
  .sort((a, b) => Number(b[4]) - Number(a[4]));
const [, image, mask] = rows(join(cohort, 'cohort.csv'))[Number(surest[0].slice('case-'.length)) - 1];
oncoInfer(
  'predict',
  ...['--model', join(out, 'bundle'), '--image', join(cohort, image), '--mask', join(cohort, mask)],
  ...['--out', join(out, 'prediction')],
);

console.log(`\nquickstart: done in ${((performance.now() - start) / 60000).toFixed(1)} min`);
console.log(`  report      ${join(out, 'report.html')}`);
console.log(`  prediction  ${join(out, 'prediction')}`);
