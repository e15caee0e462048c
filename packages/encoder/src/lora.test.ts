import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomStream, startEngine } from '@onco-response/engine';
import { readSafetensors, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import goldens from './__fixtures__/goldens.json' with { type: 'json' };
import { adapterFromFiles, adapterToFiles } from './adapter-files.js';
import { attachLora, detachLora, mergeLora, unmergeLora } from './attach-lora.js';
import { type Linear, linear } from './linear.js';
import { loadVit } from './load-vit.js';
import { keptMask } from './lora.js';
import { loadAdapter, saveAdapter } from './save-adapter.js';
import type { Vit } from './vit.js';

const fixture = (name: string) => fileURLToPath(new URL(`./__fixtures__/${name}`, import.meta.url));

function pixels(): tf.Tensor4D {
  const values = Float32Array.from({ length: 2 * 16 * 16 * 3 }, (_, index) => Math.sin(0.7 * index));
  return tf.tensor4d(values, [2, 16, 16, 3]);
}

const classToken = (vit: Vit) => tf.tidy(() => vit.forward(pixels()).cls.dataSync());

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

describe.each(['dinov2-tiny', 'vit-tiny'] as const)('%s', (name) => {
  let vit: Vit;
  let tensorsBefore: number;
  let folder: string;
  const golden = goldens[name].adapted;

  beforeEach(async () => {
    tensorsBefore = tf.memory().numTensors;
    vit = await loadVit(fixture(name));
    folder = mkdtempSync(join(tmpdir(), 'onco-adapter-'));
  });
  afterEach(() => {
    vit.dispose();
    rmSync(folder, { recursive: true });
    expect(tf.memory().numTensors).toBe(tensorsBefore);
  });

  // Measured 3.6e-7; the adapters move the output by 0.05 and 0.19.
  test('an adapter written by peft gives the outputs of peft to 1e-5', async () => {
    await loadAdapter(vit, fixture(`${name}-adapter`));
    expect(largestDifference(classToken(vit), golden.cls)).toBeLessThan(1e-5);
  });

  test('constantTokens leaves out the derivative of the tokens and changes no other', () => {
    attachLora(vit, { r: 2, lora_alpha: 4, target_modules: ['query', 'value'] }, { seed: 1 });
    tf.tidy(() => {
      for (const { lora } of vit.linears()) lora?.b.assign(tf.ones(lora.b.shape));
    });
    const gradients = [false, true].map((constantTokens) =>
      tf.tidy(() => {
        const tokens = vit.prefix(pixels(), 0);
        const loss = () => tf.sum(tf.square(vit.classToken(tokens, 0, { constantTokens }))) as tf.Scalar;
        const { grads } = tf.variableGrads(loss, vit.trainableVariables());
        return Object.values(grads).map((gradient) => gradient.arraySync());
      }),
    );
    expect(gradients[1]).toEqual(gradients[0]);
  });

  // Within 1e-4 of the largest element of each gradient (they differ in size by 40; an absolute bound would pass the small
  // ones unseen). float32 summed in another order than torch's comes to 6e-6 of it.
  test('the gradients of A and B equal those of torch', async () => {
    await loadAdapter(vit, fixture(`${name}-adapter`));
    const frozen = name === 'dinov2-tiny' ? 1 : 0; // the first adapted block
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const tokens = vit.prefix(pixels(), frozen);
      const weight = tf.tensor2d(
        Float32Array.from({ length: 64 }, (_, index) => Math.sin(0.3 * index)),
        [2, 32],
      );
      const loss = () => tf.sum(tf.mul(vit.classToken(tokens, frozen), weight)) as tf.Scalar;
      const variables = vit.trainableVariables();
      const { grads } = tf.variableGrads(loss, variables);
      const hubNames = new Map(
        vit.adaptation!.modules.flatMap(({ names: { hub, transformers5 } }) =>
          ['A', 'B'].map(
            (part) =>
              [`${transformers5}.lora_${part}.weight`, `${hub}.lora_${part}.weight`] as [string, string],
          ),
        ),
      );
      const expected = new Map(
        Object.entries(golden.gradients).map(([key, values]) => [hubNames.get(key) ?? key, values]),
      );
      expect(variables.map((variable) => variable.name).sort()).toEqual([...expected.keys()].sort());
      for (const [key, values] of expected) {
        const scale = Math.max(...values.map(Math.abs));
        expect(largestDifference(grads[key]!.dataSync(), values) / scale, key).toBeLessThan(1e-4);
      }
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(['hub', 'transformers5'] as const)(
    'an adapter saved with %s names loads again, bit for bit',
    async (naming) => {
      await loadAdapter(vit, fixture(`${name}-adapter`));
      const before = classToken(vit);
      await saveAdapter(vit, folder, { naming });
      const key = [
        ...readSafetensors(readFileSync(join(folder, 'adapter_model.safetensors'))).tensors.keys(),
      ][0];
      expect(key).toMatch(
        naming === 'hub'
          ? /^base_model\.model\.encoder\.layer\.\d+\./
          : /\.(attention\.[kqvo]_proj|mlp\.fc\d)\./,
      );
      detachLora(vit);
      expect(classToken(vit)).not.toEqual(before);
      await loadAdapter(vit, folder);
      expect(classToken(vit)).toEqual(before);
    },
  );

  test('merging changes the output by less than 1e-5, unmerging by nothing', async () => {
    await loadAdapter(vit, fixture(`${name}-adapter`));
    const before = classToken(vit);
    const plain = vit.linears().map(({ weight }) => weight.dataSync().slice());
    mergeLora(vit);
    expect(
      vit.linears().some(({ weight }, index) => largestDifference(weight.dataSync(), plain[index]!) > 0.01),
    ).toBe(true);
    expect(largestDifference(classToken(vit), before)).toBeLessThan(1e-5);
    expect(() => vit.trainableVariables()).toThrow(expect.objectContaining({ code: 'ADAPTER_MERGED' }));
    unmergeLora(vit);
    expect(classToken(vit)).toEqual(before);
  });

  test('a new LoRA leaves the output as it was; A is uniform within 1 / sqrt(in), B zero, both by seed', () => {
    const before = classToken(vit);
    attachLora(vit, { r: 2, layers_to_transform: [1] }, { seed: 5 });
    expect(classToken(vit)).toEqual(before);
    const [a, b] = vit.trainableVariables().map((variable) => variable.dataSync().slice());
    expect(vit.trainableVariables()).toHaveLength(4); // query and value of block 1
    expect(Math.max(...a!.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(32));
    expect(Math.max(...a!)).toBeGreaterThan(0.12);
    expect(Math.min(...a!)).toBeLessThan(-0.12);
    expect(b!.every((value) => value === 0)).toBe(true);
    detachLora(vit);
    attachLora(vit, { r: 2, layers_to_transform: 1 }, { seed: 5 });
    expect(vit.trainableVariables()[0]!.dataSync()).toEqual(a);
    detachLora(vit);
    attachLora(vit, { r: 2, layers_to_transform: 1 }, { seed: 6 });
    expect(vit.trainableVariables()[0]!.dataSync()).not.toEqual(a);
  });

  test('a prefix may not reach into an adapted block', () => {
    attachLora(vit, { layers_to_transform: [1, 2] });
    const input = pixels();
    expect(() => vit.prefix(input, 2)).toThrow(/Block 1 has a LoRA/);
    tf.dispose([input, vit.prefix(input, 1)]);
  });

  test('refuses targets that name nothing, and a second LoRA', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => attachLora(vit, { target_modules: ['uery'] })).toThrow(invalid);
    expect(() => attachLora(vit, { layers_to_transform: [3] })).toThrow(invalid);
    expect(() => attachLora(vit, { r: 0 })).toThrow(invalid);
    expect(() => attachLora(vit, { lora_dropout: 1 })).toThrow(invalid);
    expect(() => mergeLora(vit)).toThrow(expect.objectContaining({ code: 'NO_ADAPTER' }));
    expect(() => adapterToFiles(vit)).toThrow(expect.objectContaining({ code: 'NO_ADAPTER' }));
    attachLora(vit);
    expect(() => attachLora(vit)).toThrow(expect.objectContaining({ code: 'ADAPTER_ATTACHED' }));
  });

  test('refuses an adapter of other weights, with other keys or shapes, or that needs other arithmetic', () => {
    attachLora(vit, { r: 2, layers_to_transform: [1] });
    const { config, weights } = adapterToFiles(vit);
    detachLora(vit);
    const { tensors, metadata } = readSafetensors(weights);
    const load = (
      change: (tensors: Map<string, WeightTensor>) => void,
      more: Record<string, string> = {},
    ) => {
      const changed = new Map(tensors);
      change(changed);
      adapterFromFiles(vit, { config, weights: writeSafetensors(changed, { ...metadata, ...more }) });
    };
    const [key, values] = [...tensors][0]!;
    const code = (expected: string) =>
      expect.objectContaining({ code: expected, message: expect.any(String) });
    expect(metadata.base_weights_sha256).toBe(vit.weightsSha256);
    expect(() => load(() => {}, { base_weights_sha256: '0'.repeat(64) })).toThrow(code('WEIGHTS_MISMATCH'));
    expect(() => load((map) => map.delete(key))).toThrow(code('MISSING_KEYS'));
    expect(() => load((map) => map.set(key.replace('layer.1', 'layer.0'), values))).toThrow(
      code('UNEXPECTED_KEYS'),
    );
    expect(() => load((map) => map.set(key, { ...values, shape: [...values.shape].reverse() }))).toThrow(
      code('SHAPE_MISMATCH'),
    );
    expect(() => adapterFromFiles(vit, { config: { ...config, use_dora: true }, weights })).toThrow(
      /use_dora = true/,
    );
    expect(() =>
      adapterFromFiles(vit, { config: { ...config, rank_pattern: { query: 4 } }, weights }),
    ).toThrow(code('SHAPE_MISMATCH'));
    expect(vit.loraConfig).toBeUndefined();
    load(() => {});
    expect(vit.loraConfig?.r).toBe(2);
  });
});

test('LoRA by hand: W x + (alpha / r) B A x', () => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const layer: Linear = {
      name: 'by hand',
      weight: tf.tensor2d([
        [0.1, 0.2, 0.3],
        [0.4, 0.5, 0.6],
      ]),
      bias: undefined,
      lora: {
        a: tf.variable(tf.tensor2d([[0.01, -0.02, 0.03]])),
        b: tf.variable(tf.tensor2d([[0.5], [-0.5]])),
        scaling: 2,
        dropout: 0,
      },
    };
    const output = linear(tf.tensor2d([[1, 2, 3]]), layer, {}).dataSync();
    expect(output[0]).toBeCloseTo(1.46, 6);
    expect(output[1]).toBeCloseTo(3.14, 6);
    tf.dispose([layer.lora!.a, layer.lora!.b]);
  });
  expect(tf.memory().numTensors).toBe(before);
});

test('dropout draws from the given stream only, keeps the mean, and is off without a stream', async () => {
  const vit = await loadVit(fixture('dinov2-tiny'));
  await loadAdapter(vit, fixture('dinov2-tiny-adapter')); // lora_dropout 0.1
  const run = (dropout?: RandomStream) =>
    tf.tidy(() =>
      vit
        .forward(pixels(), dropout ? { dropout } : {})
        .cls.dataSync()
        .slice(),
    );
  expect(run()).toEqual(run());
  expect(run(new RandomStream(1, 'dropout'))).toEqual(run(new RandomStream(1, 'dropout')));
  expect(run(new RandomStream(1, 'dropout'))).not.toEqual(run(new RandomStream(2, 'dropout')));
  expect(run(new RandomStream(1, 'dropout'))).not.toEqual(run());
  vit.dispose();

  const mask = tf.tidy(() => keptMask([500, 400], 0.1, new RandomStream(3, 'mask')).dataSync().slice());
  const dropped = mask.filter((value) => value === 0).length;
  expect(Math.abs(dropped - 20_000)).toBeLessThan(4 * Math.sqrt(200_000 * 0.1 * 0.9)); // 4 standard deviations
  const neighbours = mask.filter((value, index) => index > 0 && value === 0 && mask[index - 1] === 0).length;
  expect(Math.abs(neighbours - 2_000)).toBeLessThan(4 * Math.sqrt(2_000)); // independent of the place before
});
