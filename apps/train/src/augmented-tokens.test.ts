import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { readManifest } from '@onco-response/cohort/node';
import { loadVit } from '@onco-response/encoder';
import { type EngineInfo, RandomStream, startEngine } from '@onco-response/engine';
import { ResponseModel, vitOptions } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { tinyEncoder, writeSmallStudy } from './__fixtures__/small-cohort.js';
import { type AugmentedTokens, augmentedTokens } from './augmented-tokens.js';
import { CaseTokens } from './case-tokens.js';
import { printStudy } from './print-study.js';
import { loadStudy, parseStudy, type Study } from './study.js';

let folder: string;
let engine: EngineInfo;
let cases: CohortCase[];
let study: Study;
let model: ResponseModel;

beforeAll(async () => {
  engine = await startEngine({ backend: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'onco-augmented-'));
  ({ study } = await loadStudy(await writeSmallStudy(join(folder, 'cohort'), { cases: 6 })));
  ({ cases } = await readManifest(join(folder, 'cohort', 'cohort.csv')));
  const vit = await loadVit(tinyEncoder, vitOptions(study.model));
  model = new ResponseModel({ recipe: study.model, vit, seed: 1 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Copies = Extract<AugmentedTokens, { kind: 'copies' }>;
const files = async (cache: string) => (await readdir(join(folder, cache, 'tokens'))).sort();
const hash = ({ data }: { data: Float32Array }) => createHash('sha256').update(data).digest('hex');

/** The copies of the first four cases, the two others being of other splits. */
async function copiesIn(
  cache: string,
  {
    beforePrefix = { copies: 2 },
    seed = 3,
    given = cases,
    ...changes
  }: Partial<Study['augmentation']> & { seed?: number; given?: CohortCase[] } = {},
) {
  const tokens = new CaseTokens({
    folder: join(folder, cache),
    precision: 'float32',
    withoutLesion: false,
    engine,
  });
  await tokens.prepare(given, model, () => false);
  const augmentation = { ...study.augmentation, ...changes, beforePrefix };
  const train = given.filter(({ image }) => /synthetic-[0-3]-/.test(image));
  const variants = await augmentedTokens({
    augmentation,
    train,
    tokens,
    model,
    seed,
    interrupted: () => false,
  });
  return { variants: variants as Copies, tokens, train };
}

test('copies go through the frozen blocks once, of training cases only, and the same seed gives the same bytes', async () => {
  const before = tf.memory().numTensors;
  const { variants, tokens } = await copiesIn('a');
  expect(tf.memory().numTensors).toBe(before);
  expect((await files('a')).length).toBe(6 + 2 * 4);
  const bags = [tokens.read('case-0001'), ...[1, 2].map((copy) => variants.read('case-0001', copy))];
  const [own, first, second] = await Promise.all(bags);
  expect(new Set([own, first, second].map((bag) => hash(bag!))).size).toBe(3);
  expect(first!.shape.slice(1)).toEqual(own!.shape.slice(1));

  // from another cache and another order of the table, the same bytes
  const reversed = [...cases].reverse().map((each, i) => ({ ...each, caseId: `row-${i}` }));
  const other = await copiesIn('b', { given: reversed });
  expect(hash(await other.variants.read('row-5', 1))).toBe(hash(first!));
  expect([...other.variants.keys].sort()).toEqual([...variants.keys].sort());
  expect((await copiesIn('b', { seed: 4 })).variants.keys).not.toContain(variants.keys[0]);
  expect((await copiesIn('b', { rotateDegrees: 5 })).variants.keys).not.toContain(variants.keys[0]);
});

test('what is there is not computed again: more copies add to them, and no image is read', async () => {
  const { variants } = await copiesIn('c');
  const more = await copiesIn('c', { beforePrefix: { copies: 3 } });
  expect((await files('c')).length).toBe(6 + 3 * 4);
  for (const key of variants.keys) expect(more.variants.keys).toContain(key);
  const { tokens, train } = await copiesIn('c');
  await rename(join(folder, 'cohort'), join(folder, 'gone'));
  try {
    const again = await augmentedTokens({
      augmentation: { ...study.augmentation, beforePrefix: { copies: 3 } },
      ...{ train, tokens, model, seed: 3, interrupted: () => false },
    });
    expect((again as Copies).keys).toEqual(more.variants.keys);
  } finally {
    await rename(join(folder, 'gone'), join(folder, 'cohort'));
  }
});

test('fresh variants follow from the stream, and nothing of them is kept', async () => {
  const { variants: augmented } = await copiesIn('d', { beforePrefix: 'fresh' });
  const fresh = augmented as AugmentedTokens as Extract<AugmentedTokens, { kind: 'fresh' }>;
  const of = async (seed: number) => hash(await fresh.compute('case-0002', new RandomStream(seed)));
  expect(await of(1)).toBe(await of(1));
  expect(await of(2)).not.toBe(await of(1));
  expect((await files('d')).length).toBe(6);
  expect((await copiesIn('d', { beforePrefix: 'none' })).variants).toBeUndefined();
});

test('it stops between two copies and goes on', async () => {
  const { tokens, train } = await copiesIn('e', { beforePrefix: 'none' });
  let asked = 0;
  const options = {
    augmentation: { ...study.augmentation, beforePrefix: { copies: 2 } },
    ...{ train, tokens, model, seed: 3 },
  };
  const stopped = augmentedTokens({ ...options, interrupted: () => ++asked > 3 });
  await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect((await files('e')).length).toBe(6 + 3);
  await augmentedTokens({ ...options, interrupted: () => false });
  expect(await files('e')).toEqual(await files('a'));
});

test('the study says how and what it costs; nonsense is refused with its line', async () => {
  expect(study.augmentation.beforePrefix).toBe('none');
  const printed = printStudy(study);
  expect(printed).toMatch(
    /augmentation:\n(.*#.*\n)*.*# beforePrefix: \{ copies: N \} .*each through the frozen blocks once/,
  );
  expect(printed).toContain('N x the disk');
  expect(printed).toContain('beforePrefix: none\n');
  expect(parseStudy(printed, 'printed.yaml')).toEqual(study);
  expect(parse(printed)).toEqual(JSON.parse(JSON.stringify(study)));
  const text = await readFile(join(folder, 'cohort', 'study.yaml'), 'utf8');
  const refused = (block: string) => () => parseStudy(`${text}augmentation: ${block}\n`, 'study.yaml');
  expect(refused('{ beforePrefix: copies }')).toThrow(/study\.yaml:\d+: .*none, fresh or \{ copies: N \}/);
  expect(refused('{ beforePrefix: { copies: 0 } }')).toThrow(/study\.yaml:\d+/);
  expect(refused('{ copies: 2 }')).toThrow(/unknown key "augmentation\.copies".*known here: .*beforePrefix/);
  const off = 'flip: false, rotateDegrees: 0, scale: 0, intensityShiftHu: 0, noiseHu: 0';
  expect(refused(`{ beforePrefix: fresh, ${off} }`)).toThrow(/no change is/);
});
