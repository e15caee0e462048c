import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine } from '@onco-response/engine';
import { fromFloat32, readSafetensors, toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nameIn, namesOf } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import { loadVit } from './load-vit.js';
import { slotsOf } from './slots.js';
import { parseVitConfig } from './vit-config.js';

const read = (name: string) => readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url));
const configOf = (name: string) =>
  JSON.parse(read(`${name}/config.json`).toString()) as Record<string, unknown>;
const tensorsOf = (name: string) => readSafetensors(read(`${name}/model.safetensors`)).tensors;

/** The name in transformers 5 of each tensor of the hub. */
function transformers5Names(config: unknown): Map<string, string> {
  const parsed = parseVitConfig(config);
  const { hub, transformers5 } = namesOf(parsed);
  return new Map(
    slotsOf(parsed).map((slot) => [
      nameIn(hub!, slot, slot.field)!,
      nameIn(transformers5!, slot, slot.field)!,
    ]),
  );
}

async function classToken(
  config: unknown,
  weights: Uint8Array | Map<string, WeightTensor>,
): Promise<number[]> {
  const vit = await loadVit({ config, weights });
  const cls = tf.tidy(() => Array.from(vit.forward(tf.ones([1, 16, 16, 3])).cls.dataSync()));
  vit.dispose();
  return cls;
}

let tensorsBefore: number;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(() => {
  tensorsBefore = tf.memory().numTensors;
});
afterEach(() => expect(tf.memory().numTensors).toBe(tensorsBefore));

describe.each(['dinov2-tiny', 'vit-tiny'])('%s', (name) => {
  const config = configOf(name);
  const type = config.model_type as 'dinov2' | 'vit';

  test("loads transformers 5's names, a task model's prefix, and bytes, all the same", async () => {
    const hub = tensorsOf(name);
    const expected = await classToken(config, hub);
    const names = transformers5Names(config);
    const renamed = new Map([...hub].map(([key, tensor]) => [names.get(key) ?? key, tensor]));
    expect([...renamed.keys()].filter((key) => !hub.has(key)).length).toBeGreaterThan(20);
    const prefixed = new Map([...hub].map(([key, tensor]) => [`${type}.${key}`, tensor]));
    prefixed.set('classifier.weight', fromFloat32(new Float32Array(2), [2]));
    expect(await classToken(config, renamed)).toEqual(expected);
    expect(await classToken(config, prefixed)).toEqual(expected);
    expect(await classToken(config, read(`${name}/model.safetensors`))).toEqual(expected);
  });

  test('float16 weights give nearly the same', async () => {
    const hub = tensorsOf(name);
    const half = new Map(
      [...hub].map(([key, tensor]) => [key, fromFloat32(toFloat32(tensor), tensor.shape, 'F16')]),
    );
    const [expected, found] = [await classToken(config, hub), await classToken(config, half)];
    expect(Math.max(...found.map((value, index) => Math.abs(value - expected[index]!)))).toBeLessThan(0.02);
    expect(found).not.toEqual(expected);
  });

  test('is strict: missing, unknown and ill-shaped tensors are named', async () => {
    const load = async (change: (tensors: Map<string, WeightTensor>) => void) => {
      const tensors = new Map(tensorsOf(name));
      change(tensors);
      return loadVit({ config, weights: tensors }).catch((error: unknown) => error);
    };
    const key = 'encoder.layer.1.attention.attention.query.weight';
    const extra = fromFloat32(new Float32Array(4), [4]);
    expect(await load((map) => map.delete(key))).toMatchObject({
      code: 'MISSING_KEYS',
      message: expect.stringContaining(key),
    });
    expect(await load((map) => map.set('encoder.layer.3.norm1.weight', extra))).toMatchObject({
      code: 'UNEXPECTED_KEYS',
      message: expect.stringContaining('encoder.layer.3.norm1.weight'),
    });
    expect(await load((map) => map.set(transformers5Names(config).get(key)!, map.get(key)!))).toMatchObject({
      code: 'UNEXPECTED_KEYS',
    });
    expect(await load((map) => map.set('layernorm.bias', extra))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: 'Weights: layernorm.bias has the shape [4], config.json asks for [32].',
    });
  });

  test.each([
    [{ model_type: 'swin' }, 'UNSUPPORTED'],
    [{ model_type: 'sam_vision_model' }, 'UNSUPPORTED'],
    [{ hidden_act: 'swish_of_my_own' }, 'UNSUPPORTED'],
    [{ num_attention_heads: 5 }, 'MALFORMED'],
    [{ hidden_size: 'wide' }, 'MALFORMED'],
    [{ patch_size: 2.5 }, 'MALFORMED'],
    [{ image_size: [16, 20] }, 'MALFORMED'],
  ])('refuses a configuration with %j', async (change, code) => {
    const error = await loadVit({ config: { ...config, ...change }, weights: new Map() }).catch(
      (e: unknown) => e,
    );
    expect(EncoderError.isInstance(error) && error.code).toBe(code);
  });
});

test('preprocessing belongs to the weights: the file where there is one, else what the family was trained with', async () => {
  const load = async (name: string, preprocessor?: unknown) => {
    const vit = await loadVit({ config: configOf(name), weights: tensorsOf(name), preprocessor });
    vit.dispose();
    return vit.preprocessing;
  };
  expect(await load('vit-tiny')).toMatchObject({
    imageSize: 16,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
  expect(await load('dinov2-tiny')).toMatchObject({
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  const given = {
    size: { shortest_edge: 256 },
    crop_size: { height: 224, width: 224 },
    image_mean: [0.1, 0.2, 0.3],
  };
  expect(await load('vit-tiny', given)).toMatchObject({ imageSize: 224, mean: [0.1, 0.2, 0.3] });
});

test('a directory without its files, or with broken ones, says which', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'onco-vit-'));
  try {
    const failure = () => loadVit(folder).catch((error: unknown) => error);
    expect(await failure()).toMatchObject({
      code: 'FILE_MISSING',
      message: expect.stringContaining('config.json'),
    });
    writeFileSync(join(folder, 'config.json'), '{"model_type": "dinov2"');
    expect(await failure()).toMatchObject({ code: 'MALFORMED' });
    writeFileSync(join(folder, 'config.json'), read('dinov2-tiny/config.json'));
    expect(await failure()).toMatchObject({
      code: 'FILE_MISSING',
      message: expect.stringContaining('model.safetensors'),
    });
    writeFileSync(
      join(folder, 'model.safetensors'),
      read('dinov2-tiny/model.safetensors').subarray(0, 50_000),
    );
    expect(await failure()).toMatchObject({ name: 'WeightsError', code: 'TRUNCATED' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a model of image and text: its vision tower is read, the rest of it passed over', async () => {
  const { model_type: _, ...vision_config } = configOf('architectures/clip');
  const tower = tensorsOf('architectures/clip');
  const weights = new Map([...tower].map(([key, tensor]) => [`vision_model.${key}`, tensor]));
  const extra = fromFloat32(new Float32Array(4), [4]);
  for (const name of [
    'logit_scale',
    'text_model.embeddings.token_embedding.weight',
    'visual_projection.weight',
  ])
    weights.set(name, extra);
  const expected = await classToken(configOf('architectures/clip'), tower);
  expect(await classToken({ model_type: 'clip', vision_config }, weights)).toEqual(expected);
});

test('what a SigLIP without a head cannot give, and a grid that is not the one of the tokens, are refused', async () => {
  const read = (name: string, options = {}) =>
    loadVit(
      { config: configOf(`architectures/${name}`), weights: tensorsOf(`architectures/${name}`) },
      options,
    );
  await expect(read('siglip-headless', { pooling: 'cls' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(read('clip', { pooling: 'max' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const vit = await read('dinov3');
  const tokens = tf.zeros<tf.Rank.R3>([1, 3 + 6, 32]); // 6 patches: 2 x 3 or 3 x 2
  expect(() => vit.classToken(tokens, 1)).toThrow(/grid/);
  expect(() => vit.classToken(tokens, 1, { grid: [3, 3] })).toThrow(/grid/);
  tf.dispose([tokens, vit.classToken(tokens, 1, { grid: [2, 3] })]);
  vit.dispose();
});

test('a model type that is not computed is named', () => {
  expect(() => parseVitConfig({ model_type: 'sam_vision_model' })).toThrow(
    /"sam_vision_model"; known are dinov2, /,
  );
});
