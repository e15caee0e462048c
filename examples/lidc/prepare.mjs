/**
 * Turns the shared LIDC nodules (lidc_vois_994.tar.gz, nodules.csv) into a cohort:
 *
 *   node examples/lidc/prepare.mjs [--data ../shared/data/lidc-nodules] [--out runs/lidc-cohort]
 *
 * The label is benign (0) or malignant (1) as radiologists rated it: a stand-in for response with real CT and real masks.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    data: {
      type: 'string',
      default: join(process.env.ONCO_RESPONSE_DATA ?? join(root, '../shared/data'), 'lidc-nodules'),
    },
    out: { type: 'string', default: join(root, 'runs/lidc-cohort') },
  },
});

const archive = join(values.data, 'lidc_vois_994.tar.gz');
if (!existsSync(archive)) {
  console.error(`prepare: there is no ${resolve(archive)}: name the folder that holds it with --data`);
  process.exit(42);
}
mkdirSync(values.out, { recursive: true });
const tar = spawnSync('tar', ['-xzf', archive, '-C', values.out], { stdio: 'inherit' });
if (tar.status !== 0) process.exit(1);

const [head, ...lines] = readFileSync(join(values.data, 'nodules.csv'), 'utf8').trim().split(/\r?\n/);
const column = (name) => head.split(',').indexOf(name);
const rows = lines.flatMap((line) => {
  const cells = line.split(',');
  const patient = cells[column('patient_id')];
  const file = `${patient}_R_${cells[column('nodule_id')]}.nii.gz`;
  if (!existsSync(join(values.out, 'VOIs/image', file))) return [];
  return [
    [patient, `VOIs/image/${file}`, `VOIs/nodule_mask/${file}`, cells[column('Diagnosis_value')]].join(','),
  ];
});
const manifest = join(values.out, 'cohort.csv');
writeFileSync(`${manifest}.partial`, `${['patient_id,image,mask,label', ...rows].join('\n')}\n`);
renameSync(`${manifest}.partial`, manifest);
const malignant = rows.filter((row) => row.endsWith(',1')).length;
console.log(
  `${rows.length} nodules (${malignant} malignant; ${lines.length - rows.length} rows without an image left out) in ${manifest}`,
);
