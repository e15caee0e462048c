/**
 * `npm run quickstart`: from a bare clone to a trained, evaluated and explained model on a synthetic cohort, and one
 * prediction with it. A second run finds what the first one made.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { oncoInfer, oncoTrain, prepareWorkspace } from './workspace.mjs';

const root = prepareWorkspace();
const cohort = join(root, 'runs/phantom-cohort');
const out = join(root, 'runs/quickstart');

console.log('\nquickstart: a synthetic cohort, a response model trained on it, and its report');
const start = performance.now();
oncoTrain('phantom', '--out', cohort, '--cases', '200', '--seed', '7');
oncoTrain('fit', '--config', join(root, 'examples/phantom/study.yaml'), '--out', out);

const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'));
const test = metrics.testCases[0];
oncoInfer(
  'predict',
  '--model',
  join(out, 'bundle'),
  '--image',
  join(cohort, test.image),
  '--mask',
  join(cohort, test.mask),
  '--out',
  join(out, 'prediction'),
);

console.log(`\nquickstart: done in ${((performance.now() - start) / 60000).toFixed(1)} min`);
console.log(`  report      ${join(out, 'report.html')}`);
console.log(`  prediction  ${join(out, 'prediction')}`);
if (!existsSync(join(out, 'report.html'))) process.exit(1);
