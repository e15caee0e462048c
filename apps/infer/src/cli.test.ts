import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fitStandardiser } from '@onco-response/cohort';
import { loadVit } from '@onco-response/encoder';
import { RandomStream, startEngine } from '@onco-response/engine';
import { writeVolume } from '@onco-response/imaging-io/node';
import { ResponseModel, recipeSchema } from '@onco-response/response-model';
import { saveBundle } from '@onco-response/response-model/node';
import { createVolume, type Mask, type Vec3, type Volume } from '@onco-response/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const encoder = fileURLToPath(
  new URL('../../../packages/encoder/src/__fixtures__/dinov2-tiny', import.meta.url),
);
const size: Vec3 = [20, 20, 6];
const spacing: Vec3 = [2, 2, 4];
let folder: string;
let logit: number;
let volume: Volume;
let mask: Mask;
const at = (name: string) => join(folder, name);

function predict(out: string, changed: Record<string, string> = {}) {
  const paths = { model: at('bundle'), image: at('image.nii.gz'), mask: at('mask.nii.gz'), ...changed };
  const options = Object.entries(paths).flatMap(([name, path]) => [`--${name}`, path]);
  return spawnSync(process.execPath, [cli, 'predict', ...options, '--out', at(out), '--threads', '1'], {
    encoding: 'utf8',
  });
}

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`build first (pnpm exec turbo run build): there is no ${cli}`);
  folder = await mkdtemp(join(tmpdir(), 'onco-infer-'));
  const random = new RandomStream(2, 'synthetic case');
  const count = size[0] * size[1] * size[2];
  volume = createVolume({
    data: Int16Array.from({ length: count }, () => Math.round(40 + 60 * random.normal())),
    size,
    spacing,
  });
  const lesion = Uint8Array.from({ length: count }, (_, i) => {
    const [x, y, z] = [i % 20, Math.floor(i / 20) % 20, Math.floor(i / 400)];
    return z > 0 && z < 5 && (x - 9) ** 2 + (y - 10) ** 2 < 30 ? 1 : 0;
  });
  mask = createVolume({ data: lesion, size, spacing });
  await writeVolume(at('image.nii.gz'), volume);
  await writeVolume(at('mask.nii.gz'), mask);
  await writeVolume(at('shifted.nii.gz'), createVolume({ data: lesion, size, spacing, origin: [0, 0, 9] }));
  await writeVolume(at('empty.nii.gz'), createVolume({ data: new Uint8Array(count), size, spacing }));

  await startEngine({ backend: 'tensorflow', threads: 1 });
  const recipe = recipeSchema.parse({
    input: { imageSize: 16, slices: { choice: 'lesionUniform', count: 3 } },
    encoder: { adaptedBlocks: 1, r: 2 },
    aggregation: { hiddenSize: 8 },
    head: { hiddenSizes: [4] },
  });
  const model = new ResponseModel({ recipe, vit: await loadVit(encoder), seed: 1 });
  ({ logit } = await model.predict(volume, mask));
  const { embedding } = await model.predict(volume, mask);
  const scatter = new RandomStream(5, 'synthetic embeddings');
  const embeddings = Array.from({ length: 30 }, () =>
    embedding.map((value) => value + 0.01 * scatter.normal()),
  );
  await saveBundle(
    at('bundle'),
    model,
    {
      name: 'tiny',
      synthetic: true,
      positiveClass: 'responder (synthetic)',
      target: 'a test',
      calibration: { a: -1, b: 0 },
      threshold: { value: 0.5, rule: 'given' },
      reference: {
        training: {
          cases: 20,
          positives: 8,
          lesionVolumeQuantilesMm3: Array.from({ length: 101 }, (_, percent) => 100 * percent),
        },
        test: {
          bins: Array.from({ length: 10 }, () => ({ cases: 5, positives: 3 })),
          truePositives: 20,
          falsePositives: 10,
          trueNegatives: 10,
          falseNegatives: 10,
        },
      },
      provenance: {},
    },
    encoder,
    { training: embeddings.slice(0, 20), validation: embeddings.slice(20) },
  );
  model.dispose();
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('predict writes the probability, the attention, the hashes and a picture', async () => {
  const { status, stdout, stderr } = predict('out');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^responder \(synthetic\): probability 0\.\d{3}, (positive|negative)/);
  const prediction = JSON.parse(await readFile(at('out/prediction.json'), 'utf8'));
  expect(prediction.logit).toBe(logit);
  expect(prediction.probability).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
  expect(prediction.class).toBe(prediction.probability >= 0.5 ? 1 : 0);
  expect(prediction.attention.map(({ slice }: { slice: number }) => slice)).toEqual([1, 3, 4]);
  expect(
    prediction.attention.reduce((sum: number, { weight }: { weight: number }) => sum + weight, 0),
  ).toBeCloseTo(1, 5);
  expect(prediction).toMatchObject({
    syntheticModel: true,
    researchUseOnly: true,
    engine: { backend: 'tensorflow' },
  });
  expect(prediction.warnings[0]).toContain('synthetic');
  expect(prediction.recipeSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(prediction.bundleFiles)).toContain('encoder/model.safetensors');
  const { distance, limit, strangerThan, ...cases } = prediction.strangeness;
  expect(distance).toBeLessThan(limit); // the reference cases lie around this one
  expect(strangerThan).toBeLessThan(0.95);
  expect(cases).toEqual({ trainingCases: 20, validationCases: 10 });
  const png = await readFile(at('out/attention.png'));
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  const page = await readFile(at('out/case-report.html'), 'utf8');
  expect(page).toContain('Research use only');
  expect(page).toMatch(/SYNTHETIC/i);
  expect(page).not.toMatch(/(src|href)=.https?:/); // everything is in the one file
  expect(page).toContain('20 / 30'); // sensitivity on the test cases
  expect(page).toContain('of the 5 test cases given between');
});

test.each([
  ['a missing image', { image: 'nowhere.nii.gz' }, 'NOT_FOUND', 'nowhere.nii.gz'],
  ['a mask of another grid', { mask: 'shifted.nii.gz' }, 'GRID_MISMATCH', 'shifted.nii.gz'],
  ['an empty mask', { mask: 'empty.nii.gz' }, 'EMPTY_MASK', 'empty.nii.gz'],
  ['a folder that is no bundle', { model: 'out' }, 'MISSING_FILE', 'bundle'],
])('%s is refused with exit code 42 and nothing is written', (_, changed, code, named) => {
  const paths = Object.fromEntries(Object.entries(changed).map(([name, file]) => [name, at(file)]));
  const { status, stderr } = predict('refused', paths);
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).toContain(named);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(status).toBe(42);
  expect(existsSync(at('refused'))).toBe(false);
});

test('a model that was trained with clinical values is refused without them, and for a category it never saw', async () => {
  const columns = ['age', 'ca125', 'stage'];
  const recipe = recipeSchema.parse({
    input: { imageSize: 16, slices: { choice: 'lesionUniform', count: 3 } },
    encoder: { adaptedBlocks: 0 },
    aggregation: { kind: 'mean' },
    head: { hiddenSizes: [4] },
    clinical: columns,
  });
  const clinical = fitStandardiser(
    [
      { age: 50, ca125: 10, stage: 'III' },
      { age: 63, ca125: null, stage: 'IV' },
    ],
    columns,
  );
  const model = new ResponseModel({ recipe, vit: await loadVit(encoder), seed: 1, clinical });
  const metadata = {
    name: 'tiny',
    synthetic: true,
    positiveClass: 'responder (synthetic)',
    target: 'a test',
    calibration: { a: -1, b: 0 },
    threshold: { value: 0.5, rule: 'given' },
    provenance: {},
  };
  await saveBundle(at('clinical'), model, metadata, encoder);
  const tokens = await model.prefixTokens(model.slices(volume, mask));
  const { logit: expected } = await model.predictTokens(tokens, [61, null, 'IV']);
  model.dispose();
  const refused = predict('clinical-refused', { model: at('clinical') });
  expect(refused.stderr).toContain('[MISSING_CLINICAL]');
  expect(refused.stderr).toContain('age, ca125, stage');
  expect(refused.status).toBe(42);
  const given = (...values: string[]) =>
    spawnSync(
      process.execPath,
      [
        ...[cli, 'predict', '--model', at('clinical'), '--image', at('image.nii.gz'), '--threads', '1'],
        ...['--mask', at('mask.nii.gz'), '--out', at('clinical-out'), '--clinical', ...values],
      ],
      { encoding: 'utf8' },
    );
  expect(given('age=61', 'ca125=', 'stage=IV').status).toBe(0);
  const prediction = JSON.parse(await readFile(at('clinical-out/prediction.json'), 'utf8'));
  expect(prediction.logit).toBe(expected);
  expect(prediction.warnings).toContain(
    'the clinical value ca125 is not known: the median of the training cases, 10, stands in',
  );
  const wrong = [given('age=old', 'ca125=', 'stage=IV'), given('age=61', 'ca125=', 'stage=II')];
  expect(wrong.map(({ status }) => status)).toEqual([42, 42]);
  expect(wrong[0]?.stderr).toContain('[COLUMN] age is "old"');
  expect(wrong[1]?.stderr).toMatch(/\[UNKNOWN_CATEGORY\] stage is "II".*III, IV/);
  expect(given('age').status).toBe(2);
}, 120_000);

test('a damaged bundle is refused', async () => {
  await cp(at('bundle'), at('damaged'), { recursive: true });
  const head = at('damaged/head.safetensors');
  const bytes = await readFile(head);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(head, bytes);
  const { status, stderr } = predict('refused', { model: at('damaged') });
  expect(stderr).toContain('[HASH_MISMATCH] head.safetensors');
  expect(status).toBe(42);
});
