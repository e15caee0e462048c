import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fitStandardiser } from '@onco-response/cohort';
import { loadVit } from '@onco-response/encoder';
import { RandomStream, startEngine } from '@onco-response/engine';
import { createVolume } from '@onco-response/volume';
import { readSafetensors, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { vitOptions } from './adapted-encoder.js';
import { bundleFromFiles, bundleToFiles } from './bundle.js';
import { clinicalInOrder } from './clinical-features.js';
import { loadBundle, saveBundle } from './node.js';
import { type Recipe, recipeSchema } from './recipe.js';
import { inputSlices, ResponseModel } from './response-model.js';

const encoderDirectory = fileURLToPath(
  new URL('../../encoder/src/__fixtures__/dinov2-tiny', import.meta.url),
);
const imageSize = 28;

const recipe = (
  adaptedBlocks: number,
  encoder: Partial<Recipe['encoder']> = {},
  clinical: string[] = [],
): Recipe =>
  recipeSchema.parse({
    input: { imageSize, slices: { choice: 'lesionUniform', count: 3 } },
    encoder: { adaptedBlocks, r: 2, ...encoder },
    aggregation: { hiddenSize: 8 },
    head: { hiddenSizes: [4], projectionSize: 5 },
    clinical,
  });

const metadata = {
  name: 'tiny',
  synthetic: true,
  positiveClass: 'responder',
  target: 'a test',
  calibration: { a: -1.5, b: 0.2 },
  threshold: { value: 0.4, rule: 'given' },
  provenance: { seed: 3 },
};

/** A synthetic block of noise with a box-shaped lesion. */
function syntheticCase() {
  const random = new RandomStream(4, 'synthetic case');
  const size = [20, 20, 6] as const;
  const count = size[0] * size[1] * size[2];
  const data = Int16Array.from({ length: count }, () => Math.round(40 + 80 * random.normal()));
  const lesion = new Uint8Array(count);
  for (let k = 1; k < 5; k++)
    for (let j = 6; j < 13; j++) for (let i = 5; i < 12; i++) lesion[i + 20 * (j + 20 * k)] = 1;
  const spacing = [2, 2, 4] as const;
  return {
    volume: createVolume({ data, size, spacing }),
    mask: createVolume({ data: lesion, size, spacing }),
  };
}

const makeModel = async (...given: Parameters<typeof recipe>) => {
  const made = recipe(...given);
  return new ResponseModel({ recipe: made, vit: await loadVit(encoderDirectory, vitOptions(made)), seed: 3 });
};

/** Moves every variable away from its initial value, so that no part of the model is still zero. */
function shake(model: ResponseModel): void {
  const random = new RandomStream(8, 'shake');
  for (const variable of Object.values(model.namedTensors())) {
    const noise = Float32Array.from({ length: variable.size }, () => 0.3 * random.normal());
    tf.tidy(() => variable.assign(tf.add(variable, tf.tensor(noise, variable.shape))));
  }
}

let folder: string;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'response-model-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([0, 1])(
  'with %i adapted blocks the cached prefix gives what the whole encoder gives',
  async (adapted) => {
    const before = tf.memory().numTensors;
    const model = await makeModel(adapted);
    shake(model);
    const { volume, mask } = syntheticCase();
    const slices = model.slices(volume, mask);
    const tokens = await model.prefixTokens(slices);
    expect(tokens.shape).toEqual([3, adapted === 0 ? 1 : 1 + 7 * 7, model.vit.config.hidden_size]);
    const whole = tf.tidy(() => {
      const pixels = tf.tensor4d(slices.pixels, [slices.count, imageSize, imageSize, 3]);
      return model.vit.forward(pixels).cls.dataSync();
    });
    const cached = tf.tidy(() =>
      model.vit.classToken(tf.tensor3d(tokens.data, tokens.shape), model.frozenBlocks).dataSync(),
    );
    // the same sums in float32, in another order
    cached.forEach((value, i) => {
      expect(Math.abs(value - whole[i]!)).toBeLessThan(1e-5);
    });
    const { attention } = await model.predict(volume, mask);
    expect(attention.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('a case in a batch of bags of other sizes gets the logit that it gets alone', async () => {
  const model = await makeModel(1);
  shake(model);
  const { volume, mask } = syntheticCase();
  const { data, shape } = await model.prefixTokens(model.slices(volume, mask));
  const before = tf.memory().numTensors;
  const [together, first, second] = tf.tidy(() => {
    const all = tf.tensor3d(data, shape);
    const one = tf.slice(all, [0, 0, 0], [1, -1, -1]);
    const logits = (tokens: tf.Tensor3D, sizes: number[]) =>
      Array.from(model.forward(tokens, sizes).logits.dataSync());
    return [logits(tf.concat([all, one]), [3, 1]), logits(all, [3]), logits(one, [1])];
  });
  expect(tf.memory().numTensors).toBe(before);
  expect(together![0]).toBeCloseTo(first![0]!, 5);
  expect(together![1]).toBeCloseTo(second![0]!, 5);
  model.dispose();
});

test('gradients reach adapter, aggregation, head and projection; dropout is off outside training', async () => {
  const model = await makeModel(1);
  shake(model);
  const { volume, mask } = syntheticCase();
  const { data, shape } = await model.prefixTokens(model.slices(volume, mask));
  const variables = model.namedVariables();
  const before = tf.memory().numTensors;
  const norms = tf.tidy(() => {
    const { grads } = tf.variableGrads(() => {
      const { logits, projection } = model.forward(tf.tensor3d(data, shape), [3], { training: true });
      return tf.add(tf.sum(logits), tf.sum(tf.slice(projection, [0, 0], [1, 1]))) as tf.Scalar;
    }, Object.values(variables));
    return Object.entries(variables).map(
      ([name, { name: key }]) => [name, tf.norm(grads[key]!).dataSync()[0]] as const,
    );
  });
  expect(tf.memory().numTensors).toBe(before);
  // the key's bias shifts every score of a row alike, and the softmax does not see it
  for (const [name, norm] of norms.filter(([name]) => name !== 'aggregation.key.bias')) {
    expect(norm, name).toBeGreaterThan(1e-9);
  }
  const [a, b] = [await model.predict(volume, mask), await model.predict(volume, mask)];
  expect(a.logit).toBe(b.logit);
  model.dispose();
});

test('streams restored give the same dropout again', async () => {
  const model = await makeModel(1);
  shake(model);
  const { volume, mask } = syntheticCase();
  const { data, shape } = await model.prefixTokens(model.slices(volume, mask));
  const draw = () =>
    tf.tidy(() => model.forward(tf.tensor3d(data, shape), [3], { training: true }).logits.dataSync()[0]);
  const states = JSON.parse(JSON.stringify(model.streams()));
  const first = [draw(), draw()];
  expect(first[0]).not.toBe(first[1]);
  model.restoreStreams(states);
  expect([draw(), draw()]).toEqual(first);
  model.dispose();
});

test.each([0, 1])('a saved bundle (%i adapted blocks) predicts the same bits', async (adapted) => {
  const model = await makeModel(adapted);
  shake(model);
  const { volume, mask } = syntheticCase();
  const { logit } = await model.predict(volume, mask);
  const path = join(folder, `bundle-${adapted}`);
  await saveBundle(path, model, metadata, encoderDirectory);
  await saveBundle(path, model, metadata, encoderDirectory); // replaces what is there
  model.dispose();
  const loaded = await loadBundle(path);
  expect((await loaded.model.predict(volume, mask)).logit).toBe(logit);
  expect(loaded.probability(logit)).toBeCloseTo(1 / (1 + Math.exp(-1.5 * logit + 0.2)), 12);
  expect(loaded.metadata).toMatchObject({ synthetic: true, recipe: { encoder: { adaptedBlocks: adapted } } });
  loaded.model.dispose();
});

test('a damaged, incomplete or foreign bundle is refused by file and finding', async () => {
  const model = await makeModel(1);
  const encoder = new Map([
    ['config.json', new Uint8Array(await readFile(join(encoderDirectory, 'config.json')))],
    ['model.safetensors', new Uint8Array(await readFile(join(encoderDirectory, 'model.safetensors')))],
  ]);
  const files = await bundleToFiles(model, metadata, encoder);
  model.dispose();
  const code = (change: (copy: Map<string, Uint8Array>) => unknown) => {
    const copy = new Map(files);
    change(copy);
    return bundleFromFiles(copy).then(
      () => 'loaded',
      (error) => error.code,
    );
  };
  const flip = (bytes: Uint8Array) =>
    Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
  expect(await code(() => undefined)).toBe('loaded');
  expect(await code((copy) => copy.set('head.safetensors', flip(copy.get('head.safetensors')!)))).toBe(
    'HASH_MISMATCH',
  );
  expect(await code((copy) => copy.delete('adapter/adapter_config.json'))).toBe('MISSING_FILE');
  expect(await code((copy) => copy.delete('bundle.json'))).toBe('MISSING_FILE');
  expect(await code((copy) => copy.set('bundle.json', new TextEncoder().encode('{}')))).toBe(
    'INVALID_BUNDLE',
  );
  await expect(loadBundle(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'MISSING_FILE' });
});

test('weights of another shape are refused with both shapes', async () => {
  const model = await makeModel(0);
  const path = join(folder, 'other-shape');
  await saveBundle(path, model, metadata, encoderDirectory);
  model.dispose();
  const head = join(path, 'head.safetensors');
  const { tensors } = readSafetensors(new Uint8Array(await readFile(head)));
  tensors.set('head.layers.0.bias', { dtype: 'F32', shape: [7], data: new Float32Array(7) });
  await writeFile(head, writeSafetensors(tensors));
  const bundle = JSON.parse(await readFile(join(path, 'bundle.json'), 'utf8'));
  const digest = await crypto.subtle.digest('SHA-256', await readFile(head));
  bundle.files['head.safetensors'] = Buffer.from(digest).toString('hex');
  await writeFile(join(path, 'bundle.json'), JSON.stringify(bundle));
  await expect(loadBundle(path)).rejects.toMatchObject({
    code: 'SHAPE_MISMATCH',
    message: 'head.safetensors: head.layers.0.bias has shape [7], the recipe expects [4]',
  });
});

test('standardised slice embeddings have mean 0 and deviation 1 over the rows given', async () => {
  const model = await makeModel(0);
  const { volume, mask } = syntheticCase();
  const rows = await model.sliceEmbeddings(await model.prefixTokens(model.slices(volume, mask)));
  await model.standardise([rows.subarray(0, rows.length / 3), rows.subarray(rows.length / 3)]);
  const width = model.vit.config.hidden_size;
  const { 'standardisation.mean': centre, 'standardisation.deviation': spread } = model.namedTensors();
  const column = (values: Float32Array, j: number) => [0, 1, 2].map((row) => values[row * width + j]!);
  for (let j = 0; j < width; j++) {
    const values = column(rows, j);
    const mean = values.reduce((sum, value) => sum + value) / 3;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
    expect(centre!.dataSync()[j]).toBeCloseTo(mean, 5);
    expect(spread!.dataSync()[j]).toBeCloseTo(deviation, 5);
  }
  model.dispose();
});

test('a recipe that does not fit the encoder is refused', async () => {
  const vit = await loadVit(encoderDirectory);
  expect(() => new ResponseModel({ recipe: recipe(99), vit, seed: 0 })).toThrowError(/has \d+ blocks/);
  const odd = { ...recipe(0), input: { ...recipe(0).input, imageSize: 27 } };
  expect(() => new ResponseModel({ recipe: odd, vit, seed: 0 })).toThrowError(/not a multiple/);
  vit.dispose();
});

test.each<[string, number, Partial<Recipe['encoder']>, number]>([
  ['patches pooled, nothing adapted', 0, { pooling: 'mean' }, 3],
  ['a block trained in full', 0, { trainedBlocks: 1 }, 2],
  ['LoRA and its biases below a block trained in full', 2, { trainedBlocks: 1, bias: 'lora_only' }, 1],
  ['one LoRA on the fused query, key and value', 1, { target_modules: ['qkv'] }, 2],
  ['the last LayerNorm trained, patches pooled', 0, { modules_to_save: ['layernorm'], pooling: 'mean' }, 3],
])(
  '%s: all that is trained is in the bundle, which predicts the same bits',
  async (name, adapted, encoder, frozen) => {
    const before = tf.memory().numTensors;
    const model = await makeModel(adapted, encoder);
    const trained = Object.entries(model.namedVariables()).filter(([key]) => key.startsWith('adapter.'));
    expect(new Set(trained.map(([, variable]) => variable))).toEqual(new Set(model.vit.trainableVariables()));
    expect(trained).toHaveLength(model.vit.trainableVariables().length);
    expect(model.frozenBlocks).toBe(frozen);
    shake(model);
    const { volume, mask } = syntheticCase();
    const { logit } = await model.predict(volume, mask);
    const path = join(folder, name.replaceAll(/\W+/g, '-'));
    await saveBundle(path, model, metadata, encoderDirectory);
    model.dispose();
    const loaded = await loadBundle(path);
    expect((await loaded.model.predict(volume, mask)).logit).toBe(logit);
    // another process names its tensors the same way
    expect(Object.keys(loaded.model.namedVariables())).toContain(trained.at(-1)?.[0] ?? 'head.norm.weight');
    loaded.model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('clinical numbers and categories of training cases join the embedding and travel with the bundle', async () => {
  const before = tf.memory().numTensors;
  const columns = ['age', 'ca125', 'stage'];
  const clinical = fitStandardiser(
    [
      { age: 50, ca125: 10, stage: 'III' },
      { age: 70, ca125: null, stage: 'IV' },
      { age: 66, ca125: 30, stage: null },
    ],
    columns,
  );
  const made = recipe(0, {}, columns);
  const vit = await loadVit(encoderDirectory, vitOptions(made));
  const model = new ResponseModel({ recipe: made, vit, seed: 3, clinical });
  // age, ca125, ca125 missing, stage=III, stage=IV, stage missing behind the 8 of the embedding
  expect(model.namedTensors()['head.norm.weight']!.shape).toEqual([8 + 6]);
  shake(model);
  const { volume, mask } = syntheticCase();
  const of = async (...values: (number | string | null)[]) =>
    (await model.predict(volume, mask, values)).logit;
  const known = await of(60, 20, 'III');
  expect(await of(null, 20, 'III')).toBe(await of(66, 20, 'III')); // no training case lacked the age: their median
  expect(await of(60, null, 'III')).not.toBe(known); // the median too, but that it is missing is seen
  expect(await of(60, 20, 'IV')).not.toBe(known);
  expect(await of(60, 20, null)).not.toBe(known);
  expect(await of('60', 20, 'III')).toBe(known);
  const refused = { code: 'MISSING_CLINICAL', message: expect.stringContaining('age, ca125, stage') };
  await expect(model.predict(volume, mask)).rejects.toMatchObject(refused);
  await expect(of(60)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(of(60, 20, 'II')).rejects.toMatchObject({ code: 'UNKNOWN_CATEGORY' });
  await expect(of('old', 20, 'III')).rejects.toMatchObject({ code: 'COLUMN' });
  expect(clinicalInOrder(['age', 'stage'], { stage: 'IV', age: null })).toEqual([null, 'IV']);
  expect(clinicalInOrder([])).toBeUndefined();
  expect(() => clinicalInOrder(['age', 'ca125'], { age: 75 })).toThrowError(/ca125 is not given/);
  expect(() => clinicalInOrder(['age'], { age: 75, Age: 75 })).toThrowError(/no clinical column Age/);
  const path = join(folder, 'clinical');
  await saveBundle(path, model, metadata, encoderDirectory);
  model.dispose();
  const loaded = await loadBundle(path);
  expect((await loaded.model.predict(volume, mask, [60, 20, 'III'])).logit).toBe(known);
  expect(loaded.metadata.clinical).toEqual(clinical.parameters);
  loaded.model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  const bundle = JSON.parse(await readFile(join(path, 'bundle.json'), 'utf8'));
  await writeFile(join(path, 'bundle.json'), JSON.stringify({ ...bundle, clinical: null }));
  await expect(loadBundle(path)).rejects.toMatchObject({ code: 'INVALID_BUNDLE' });
});

test('a recipe with clinical columns needs a standardiser of these columns', async () => {
  const made = recipe(0, {}, ['age']);
  const vit = await loadVit(encoderDirectory, vitOptions(made));
  const other = fitStandardiser([{ ca125: 3 }, { ca125: 4 }], ['ca125']);
  for (const clinical of [{}, { clinical: other }]) {
    expect(() => new ResponseModel({ recipe: made, vit, seed: 0, ...clinical })).toThrowError(
      /fitStandardiser/,
    );
  }
  vit.dispose();
});

test.each(['gated', 'attention', 'transformer', 'mean', 'max'] as const)(
  'with %s pooling the bundle predicts the same bits',
  async (kind) => {
    const given = recipe(0);
    const vit = await loadVit(encoderDirectory);
    const model = new ResponseModel({
      recipe: { ...given, aggregation: { ...given.aggregation, kind } },
      vit,
      seed: 3,
    });
    shake(model);
    const { volume, mask } = syntheticCase();
    const { logit, attention } = await model.predict(volume, mask);
    expect(attention.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
    await saveBundle(join(folder, kind), model, metadata, encoderDirectory);
    model.dispose();
    const loaded = await loadBundle(join(folder, kind));
    expect((await loaded.model.predict(volume, mask)).logit).toBe(logit);
    loaded.model.dispose();
  },
);

test('the slices beside each one are seen in its channels on request', async () => {
  const model = await makeModel(0);
  const given = model.recipe;
  const { volume, mask } = syntheticCase();
  const pixels = (channels: 'repeat' | 'neighbours') =>
    inputSlices(volume, mask, { input: { ...given.input, channels } }, model.vit).pixels;
  const [same, beside] = [pixels('repeat'), pixels('neighbours')];
  const channel = (values: Float32Array, at: number) => values.filter((_, i) => i % 3 === at);
  expect(channel(beside, 1)).toEqual(channel(same, 1));
  expect(channel(beside, 0)).not.toEqual(channel(same, 0));
  model.dispose();
});

test('several lesions in one bag, each in a box of its own, on request', async () => {
  const model = await makeModel(0);
  const { volume, mask } = syntheticCase();
  mask.data[18 + 20 * (17 + 20 * 2)] = 1; // a second lesion, far from the first
  const input = { ...model.recipe.input, slices: { choice: 'largestArea' as const, count: 1 } };
  const joint = inputSlices(volume, mask, { input }, model.vit);
  const together = inputSlices(volume, mask, { input: { ...input, lesions: 'together' } }, model.vit);
  expect(joint.count).toBe(1);
  expect(together.count).toBe(2);
  expect(together.sliceIndices[1]).toBe(2);
  expect(together.lesionVolumeMm3).toBeCloseTo(joint.lesionVolumeMm3, 6);
  model.dispose();
});

test('an encoder that was loaded with another pooling than the recipe names is refused', async () => {
  const vit = await loadVit(encoderDirectory);
  expect(() => new ResponseModel({ recipe: recipe(0, { pooling: 'mean' }), vit, seed: 0 })).toThrowError(
    /vitOptions/,
  );
  vit.dispose();
});
