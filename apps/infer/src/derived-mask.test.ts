import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadVit } from '@onco-response/encoder';
import { startEngine } from '@onco-response/engine';
import { readMask, readVolume, writeVolume } from '@onco-response/imaging-io/node';
import { agreement } from '@onco-response/lesion-mask';
import { type BundleDescription, ResponseModel, recipeSchema } from '@onco-response/response-model';
import { saveBundle } from '@onco-response/response-model/node';
import type { Mask, Volume } from '@onco-response/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticCt } from '../../../packages/segmentation/src/__fixtures__/synthetic-ct.js';
import { dicomSlices } from './__fixtures__/dicom-slices.js';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const fixture = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));
const encoder = fixture('encoder/src/__fixtures__/dinov2-tiny');
/** Trained by nnunetv2 on synthetic volumes: tooling/reference/segmentation_lesion_model.py. */
const nnunet = fixture(
  'segmentation/src/__fixtures__/nnunet/Dataset803_SyntheticLesion/nnUNetTrainerNoMirroring__nnUNetPlans__2d',
);
/** Knows organ (1) and lesion (2). */
const twoLabels = fixture(
  'segmentation/src/__fixtures__/nnunet/Dataset801_SyntheticCT/nnUNetTrainer__nnUNetPlans__2d',
);
let folder: string;
let volume: Volume;
let mask: Mask;
let model: ResponseModel;
const at = (name: string) => join(folder, name);
const json = async (name: string) => JSON.parse(await readFile(at(name), 'utf8'));

const METADATA: BundleDescription = {
  name: 'tiny',
  synthetic: true,
  positiveClass: 'responder (synthetic)',
  target: 'a test',
  calibration: { a: -1, b: 0 },
  threshold: { value: 0.5, rule: 'given' },
  provenance: {},
};

function predict(out: string, options: Record<string, string>) {
  const all = { model: at('bundle'), out: at(out), threads: '1', ...options };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'predict', ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-infer-derived-'));
  ({ volume, mask } = syntheticCt(1, { striped: true }));
  await writeVolume(at('image.nii.gz'), volume);
  await writeVolume(at('no-lesion.nii.gz'), syntheticCt(2, { lesion: false }).volume);
  await mkdir(at('dicom'));
  for (const [number, bytes] of dicomSlices(volume).entries())
    await writeFile(at(`dicom/${number}.dcm`), bytes);
  await startEngine({ backend: 'tensorflow', threads: 1 });
  const recipe = recipeSchema.parse({
    input: {
      imageSize: 16,
      window: { level: 100, width: 400 },
      slices: { choice: 'lesionUniform', count: 3 },
    },
    encoder: { adaptedBlocks: 1, r: 2 },
    aggregation: { hiddenSize: 8 },
    head: { hiddenSizes: [4] },
  });
  model = new ResponseModel({ recipe, vit: await loadVit(encoder), seed: 1 });
  await saveBundle(at('bundle'), model, METADATA, encoder);
  const cleaning = { closingMm: null, fillHoles: false, minimumVolumeMm3: 10, largest: 1 };
  const segmentation = { model: 'another', sha256: 'another', labels: [1], cleaning };
  const masks = { given: 0, derived: 20, noLesion: 1, segmentation };
  await saveBundle(at('derived-bundle'), model, { ...METADATA, masks }, encoder);
}, 120_000);
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true, force: true });
});

test('a missing mask is derived, cleaned, written, drawn and accounted for', async () => {
  const { status, stdout, stderr } = predict('out', { image: at('image.nii.gz'), segmentation: nnunet });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^responder \(synthetic\): probability 0\.\d{3}/);
  const written = await readMask(at('out/lesion-mask.nii.gz'), { like: volume });
  expect(agreement(written, mask).dice).toBeGreaterThan(0.85);
  const prediction = await json('out/prediction.json');
  expect(prediction.outcome).toBe('PREDICTED');
  expect(prediction.logit).toBe((await model.predict(volume, written)).logit);
  expect(prediction.mask).toMatchObject({
    source: 'derived',
    labels: [1],
    cleaning: { minimumVolumeMm3: 50 },
    files: ['lesion-mask.nii.gz', 'lesion-mask.png'],
    model: { configuration: '2d', folds: ['all'] },
  });
  expect(prediction.mask.steps.map(({ step }: { step: string }) => step)).toEqual([
    'labels',
    'fillHoles',
    'minimumVolume',
  ]);
  const checkpoint = await readFile(join(nnunet, 'fold_all/checkpoint_final.pth'));
  expect(prediction.mask.modelFiles['fold_all/checkpoint_final.pth']).toBe(
    createHash('sha256').update(checkpoint).digest('hex'),
  );
  expect(prediction.mask.confidence).toBeGreaterThan(0.5);
  expect((await readFile(at('out/lesion-mask.png'))).subarray(1, 4).toString()).toBe('PNG');
  expect(existsSync(at('out/lesion-mask.dcm'))).toBe(false);
});

test('for a DICOM series the mask is written as DICOM SEG too, and what differs from training is said', async () => {
  const options = { model: at('derived-bundle'), image: at('dicom'), segmentation: nnunet };
  expect(predict('dicom-out', options).status).toBe(0);
  const series = await readVolume(at('dicom'));
  const [nifti, seg] = await Promise.all(
    ['nii.gz', 'dcm'].map((ending) => readMask(at(`dicom-out/lesion-mask.${ending}`), { like: series })),
  );
  expect(seg?.data).toEqual(nifti?.data);
  expect(nifti?.data.some((label) => label === 1)).toBe(true);
  const { warnings, mask: made } = await json('dicom-out/prediction.json');
  expect(made.cleaning).toEqual({ closingMm: null, fillHoles: false, minimumVolumeMm3: 10, largest: 1 });
  expect(warnings.join()).toContain('derived by another segmentation model (another)');
  expect(warnings.filter((text: string) => text.startsWith('derived mask, '))).toHaveLength(
    made.flags.length,
  );
});

test('no lesion is an outcome of its own: exit code 3, no probability, nothing of an earlier prediction left', async () => {
  predict('again', { image: at('image.nii.gz'), segmentation: nnunet });
  expect(existsSync(at('again/attention.png'))).toBe(true);
  const { status, stdout, stderr } = predict('again', {
    image: at('no-lesion.nii.gz'),
    segmentation: nnunet,
  });
  expect(stderr).toBe('');
  expect(status).toBe(3);
  expect(stdout).toMatch(/^NO_LESION: no lesion was found: .*nothing was predicted/);
  const prediction = await json('again/prediction.json');
  expect(prediction.outcome).toBe('NO_LESION');
  expect(prediction.mask.steps.length).toBeGreaterThan(0);
  for (const key of ['probability', 'logit', 'class', 'attention'])
    expect(prediction).not.toHaveProperty(key);
  for (const gone of ['attention.png', 'lesion-mask.nii.gz'])
    expect(existsSync(at(`again/${gone}`))).toBe(false);
  expect(existsSync(at('again/lesion-mask.png'))).toBe(true);
});

test.each<[string, Record<string, string>, string, RegExp]>([
  ['neither mask nor model', {}, 'NO_MASK', /--segmentation/],
  ['a folder that is no model', { segmentation: 'nowhere' }, 'FILE_MISSING', /fold_x/],
  [
    'several labels and none named',
    { segmentation: twoLabels },
    'INVALID_ARGUMENT',
    /1 \(organ\), 2 \(lesion\)/,
  ],
  [
    'a label that the model never gives',
    { segmentation: nnunet, 'lesion-labels': '1,9' },
    'INVALID_ARGUMENT',
    /never gives the label 9/,
  ],
])('%s is refused with exit code 42 and nothing is written', (_, options, code, message) => {
  const { status, stderr } = predict('refused', { image: at('image.nii.gz'), ...options });
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).toMatch(message);
  expect(status).toBe(42);
  expect(existsSync(at('refused'))).toBe(false);
});

test('labels that are no numbers are a usage error', () => {
  const options = { image: at('image.nii.gz'), segmentation: nnunet, 'lesion-labels': '1,x' };
  expect(predict('refused', options).status).toBe(2);
});
