import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMask, writeVolume } from '@onco-response/imaging-io/node';
import { agreement } from '@onco-response/lesion-mask';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticCt } from '../../../packages/segmentation/src/__fixtures__/synthetic-ct.js';
import { tinyEncoder } from './__fixtures__/small-cohort.js';
import { readPlan } from './study-plan.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** Trained by nnunetv2 on synthetic volumes: tooling/reference/segmentation_lesion_model.py. */
const nnunet = fileURLToPath(
  new URL(
    '../../../packages/segmentation/src/__fixtures__/nnunet/Dataset803_SyntheticLesion/nnUNetTrainerNoMirroring__nnUNetPlans__2d',
    import.meta.url,
  ),
);
const CASES = 21;
/** Row of the case without a lesion; rows count from 0. */
const WITHOUT = 6;
const EXCLUDED = 'case-0007';
let folder: string;

function onco(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ONCO_RESPONSE_CACHE: join(folder, 'cache') },
  });
  return { status, stdout, stderr };
}

const at = (...names: string[]) => join(folder, ...names);
const fit = (study: string, out: string) =>
  onco('fit', '--config', at('cohort', `${study}.yaml`), '--out', at(out));
const json = async (...names: string[]) => JSON.parse(await readFile(at(...names), 'utf8'));

/** A SYNTHETIC cohort whose mask column is empty; the lesion is striped where the label is 1, one case has none. */
async function writeCohort(): Promise<void> {
  await mkdir(at('cohort'), { recursive: true });
  const rows = ['patient_id,image,mask,label'];
  for (let i = 0; i < CASES; i++) {
    const { volume } = syntheticCt(i, { lesion: i !== WITHOUT, striped: i % 2 === 1 });
    await writeVolume(at('cohort', `${i}.nii.gz`), volume);
    rows.push(`p${i},${i}.nii.gz,,${i % 2}`);
  }
  await writeFile(at('cohort', 'cohort.csv'), `${rows.join('\n')}\n`);
  const base = `name: small study of derived masks (synthetic)
positiveClass: striped (synthetic)
target: Whether a synthetic lesion is striped.
cohort: cohort.csv
encoder: ${tinyEncoder}
seed: 5
threads: 1
splits: { train: 0.5, validation: 0.25, test: 0.25 }
model:
  input: { imageSize: 16, marginMm: 4, window: { level: 100, width: 400 }, slices: { choice: lesionUniform, count: 3 } }
  encoder: { adaptedBlocks: 1, r: 2 }
  aggregation: { hiddenSize: 8 }
  head: { hiddenSizes: [4], projectionSize: 4 }
loss: { memory: 8 }
training: { epochs: 2, batchSize: 4, minimumEpochs: 2 }
evaluation: { resamples: 50, attentionCases: 1 }
`;
  const segmentation = `segmentation: { model: ${nnunet}, cleaning: { largest: 1 } }\n`;
  await writeFile(at('cohort', 'none.yaml'), base);
  await writeFile(at('cohort', 'refuse.yaml'), `${base}${segmentation}`);
  await writeFile(at('cohort', 'leave-out.yaml'), `${base}${segmentation}noLesion: leaveOut\n`);
  await writeFile(
    at('cohort', 'folds.yaml'),
    `${base.replace(/splits: .*/, 'splits: { scheme: kFold, folds: 2, validation: 0.3 }')}${segmentation}noLesion: leaveOut\n`,
  );
}

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-train-derived-'));
  await writeCohort();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('an empty mask is refused with the remedy where the study names no segmentation model', () => {
  const { status, stderr } = fit('none', 'none');
  expect(stderr).toMatch(/\[MISSING_FILE\] line 2 of the manifest \(case-0001\) and 20 more has no mask/);
  expect(stderr).toContain('segmentation: { model: FOLDER }');
  expect(status).toBe(42);
});

test('a case without a lesion is refused by name, with a picture to look at, unless the study leaves it out', async () => {
  const { status, stderr } = fit('refuse', 'refuse');
  expect(stderr).toMatch(/\[NO_LESION\] no lesion was found in case-0007 \(line 8\)/);
  expect(stderr).toContain('noLesion: leaveOut');
  expect(stderr).not.toMatch(/\bp\d+\b/); // no patient id
  expect(status).toBe(42);
  expect(existsSync(at('refuse', 'masks', `${EXCLUDED}.png`))).toBe(true);
  expect(existsSync(at('refuse', 'splits.json'))).toBe(false);
}, 120_000);

test('fit with the mask column empty derives the masks and says so everywhere', async () => {
  const { status, stderr } = fit('leave-out', 'out');
  expect(stderr).toContain(`NO_LESION: ${EXCLUDED} (line 8)`);
  expect(status).toBe(0);
  const derived = await json('out', 'derived-masks.json');
  expect(derived.cases).toHaveLength(CASES);
  expect(derived.cases.filter(({ outcome }: { outcome: string }) => outcome === 'NO_LESION')).toMatchObject([
    { caseId: EXCLUDED, sha256: null },
  ]);
  for (const i of [0, 1, 20]) {
    const { volume, mask } = syntheticCt(i, { striped: i % 2 === 1 });
    const path = at('out', 'masks', `case-${String(i + 1).padStart(4, '0')}.nii.gz`);
    expect(agreement(await readMask(path, { like: volume }), mask).dice).toBeGreaterThan(0.7); // the model was trained for seconds
  }
  const masks = {
    given: 0,
    derived: CASES - 1,
    noLesion: 1,
    segmentation: {
      model: 'nnUNetTrainerNoMirroring__nnUNetPlans__2d',
      sha256: derived.modelSha256,
      labels: [1],
      cleaning: { closingMm: null, fillHoles: true, minimumVolumeMm3: 50, largest: 1 },
    },
  };
  expect((await json('out', 'run.json')).masks).toEqual(masks);
  expect((await json('out', 'bundle', 'bundle.json')).masks).toEqual(masks);
  const report = await readFile(at('out', 'report.html'), 'utf8');
  expect(report).toContain('left out: NO_LESION');
  expect(report).toContain(`in which no lesion was found are left out: ${EXCLUDED}`);
  const { cases } = await json('out', 'splits.json');
  expect(Object.values(cases).flat()).not.toContain(EXCLUDED);
  expect(Object.values(cases).flat()).toHaveLength(CASES - 1);
}, 120_000);

test('masks are kept by content: another run reads them and ends with the same bytes', async () => {
  const kept = async () => {
    const names = (await readdir(at('cache', 'masks'))).sort();
    return Promise.all(names.map(async (name) => [name, (await stat(at('cache', 'masks', name))).mtimeMs]));
  };
  const before = await kept();
  expect(before).toHaveLength(2 * CASES - 1);
  expect(fit('leave-out', 'again').status).toBe(0);
  expect(await kept()).toEqual(before);
  for (const name of ['derived-masks.json', 'predictions.csv', 'metrics.json']) {
    expect(await readFile(at('again', name), 'utf8')).toBe(await readFile(at('out', name), 'utf8'));
  }
}, 120_000);

test('the trials of a planned study find the masks of the plan, and refuse others', async () => {
  const planned = onco(
    'plan',
    '--config',
    at('cohort', 'folds.yaml'),
    '--out',
    at('folds'),
    '--threads',
    '1',
  );
  expect(planned).toMatchObject({ status: 0, stdout: expect.stringContaining('2 trials') });
  const plan = await readPlan(at('folds'));
  expect(plan.cases.map(({ mask }) => mask)).toEqual(
    plan.cases.map(({ caseId }) => at('folds', 'masks', `${caseId}.nii.gz`)),
  );
  expect(plan.leftOut.map(({ caseId }) => caseId)).toEqual([EXCLUDED]);

  await cp(at('folds'), at('edited'), { recursive: true });
  const record = await json('edited', 'derived-masks.json');
  record.cases[0].sha256 = '0'.repeat(64);
  await writeFile(at('edited', 'derived-masks.json'), JSON.stringify(record));
  await expect(readPlan(at('edited'))).rejects.toMatchObject({ code: 'STUDY_CHANGED' });
  await rm(at('folds', 'masks', 'case-0002.nii.gz'));
  const { status, stderr } = onco('trial', '--out', at('folds'), '--index', '0');
  expect(stderr).toMatch(/\[MISSING_FILE\].*case-0002\.nii\.gz is missing: onco-train plan/);
  expect(status).toBe(42);
}, 120_000);
