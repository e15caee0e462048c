/**
 * Keeps the nodules of a prepared LIDC cohort whose volume says nothing: each malignant nodule with the benign one nearest
 * in log volume, within 0.10, without replacement. What is left to read is morphology.
 *
 *   node examples/lidc/size-matched.mjs [--cohort runs/lidc-cohort/cohort.csv] [--out runs/lidc-cohort/size-matched.csv]
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { resolve } = createRequire(join(root, 'apps/train/package.json'));
const built = (name) => import(pathToFileURL(resolve(`@onco-response/${name}`)).href);
const { readMask } = await built('imaging-io/node');
const { rocAuc } = await built('metrics');
const { volumeMm3 } = await built('volume');
const { values } = parseArgs({
  options: {
    cohort: { type: 'string', default: join(root, 'runs/lidc-cohort/cohort.csv') },
    out: { type: 'string', default: join(root, 'runs/lidc-cohort/size-matched.csv') },
  },
});

/** Largest difference of natural log volume in a pair. */
const CALIPER = 0.1;

const [head, ...lines] = readFileSync(values.cohort, 'utf8').trim().split('\n');
const cases = [];
for (const line of lines) {
  const [, , mask, label] = line.split(',');
  const volume = volumeMm3(await readMask(join(dirname(values.cohort), mask)));
  cases.push({ line, label: Number(label), logVolume: Math.log(volume) });
}
const benign = new Set(cases.filter(({ label }) => label === 0));
const kept = [];
for (const malignant of cases.filter(({ label }) => label === 1)) {
  const distance = (one) => Math.abs(one.logVolume - malignant.logVolume);
  const nearest = [...benign].reduce((best, one) => (distance(one) < distance(best) ? one : best));
  if (distance(nearest) > CALIPER) continue;
  benign.delete(nearest);
  kept.push(malignant, nearest);
}
const auc = rocAuc(
  kept.map(({ label }) => label),
  kept.map(({ logVolume }) => logVolume),
);
writeFileSync(`${values.out}.partial`, `${[head, ...kept.map(({ line }) => line)].join('\n')}\n`);
renameSync(`${values.out}.partial`, values.out);
console.log(`${kept.length} nodules in ${values.out}; AUC of their volume ${auc.toFixed(3)}`);
