import { fileURLToPath } from 'node:url';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import goldens from './__fixtures__/explanations.json' with { type: 'json' };
import { attachLora } from './attach-lora.js';
import { attentionRollout } from './attention-rollout.js';
import { gaussLegendre } from './gauss-legendre.js';
import { integratedGradients } from './integrated-gradients.js';
import { loadVit } from './load-vit.js';
import { type RandomisedPart, randomisedBlocks, randomisedWeightsCheck } from './randomised-weights.js';
import { loadAdapter } from './save-adapter.js';
import type { Vit } from './vit.js';

// Made by tooling/reference/encoder_explanations.py with captum 0.9, transformers 5.23 and peft 0.21.
const fixture = (name: string) => fileURLToPath(new URL(`./__fixtures__/${name}`, import.meta.url));

function unpacked(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/** sin(0.7 i) in the order [B, H, W, 3]. */
function pixelsOf(batch: number): tf.Tensor4D {
  return tf.tensor4d(
    Float32Array.from({ length: batch * 16 * 16 * 3 }, (_, index) => Math.sin(0.7 * index)),
    [batch, 16, 16, 3],
  );
}

/** The class token times sin(0.3 i). */
const logit = (vit: Vit) => (pixels: tf.Tensor4D) => {
  const weights = tf.tensor2d(
    Float32Array.from({ length: 32 }, (_, index) => Math.sin(0.3 * index)),
    [32, 1],
  );
  return tf.reshape(tf.matMul(vit.forward(pixels).cls, weights), [-1]) as tf.Tensor1D;
};

/** Largest difference over the largest expected value. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const scale = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    Array.from(actual).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / scale
  );
}

let before: number;
beforeAll(() => startEngine({ backend: 'cpu' }));

describe.each(Object.entries(goldens))('%s', (name, golden) => {
  let vit: Vit;
  beforeAll(async () => {
    vit = await loadVit(fixture(name));
  });
  afterAll(() => vit.dispose());

  describe.each(['plain', 'adapted'] as const)('%s', (state) => {
    beforeAll(async () => {
      if (state === 'adapted') await loadAdapter(vit, fixture(golden.adapter));
    });
    beforeEach(() => {
      before = tf.memory().numTensors;
    });
    afterEach(() => expect(tf.memory().numTensors).toBe(before));
    const expected = golden[state];

    // captum runs in float64 here; float32 sums over 50 points come to 2.2e-7 of the largest value (ONCO_DIFFERENCES=1).
    // Pure JavaScript takes seconds for 50 points: two families here, all of them below.
    test.runIf(state === 'adapted' && name.includes('dino'))(
      'integrated gradients are those of captum, and complete',
      async () => {
        const pixels = pixelsOf(1);
        const found = await integratedGradients(logit(vit), pixels, { batchSize: 16 });
        const difference = relativeDifference(found.attributions.dataSync(), unpacked(expected.attributions));
        if (process.env.ONCO_DIFFERENCES) console.log(name, state, difference, found.deltas, expected.deltas);
        expect(difference).toBeLessThan(2e-6);
        expect(relativeDifference(found.outputs, expected.outputs)).toBeLessThan(1e-5);
        // With 50 nodes captum's completeness is off by 1e-7 at most; the rest is float32.
        for (const delta of found.deltas) expect(Math.abs(delta)).toBeLessThan(2e-6);
        tf.dispose([pixels, found.attributions]);
      },
    );

    test('another baseline, few steps', async () => {
      const pixels = pixelsOf(1);
      const baseline = tf.fill([1, 16, 16, 3], 0.25) as tf.Tensor4D;
      let points = 0;
      const { attributions } = await integratedGradients(logit(vit), pixels, {
        baseline,
        steps: 7,
        batchSize: 3,
        advance: (count) => {
          points += count;
        },
      });
      expect(points).toBe(7);
      expect(
        relativeDifference(attributions.dataSync(), unpacked(expected.few).subarray(0, 16 * 16 * 3)),
      ).toBeLessThan(2e-6);
      tf.dispose([pixels, baseline, attributions]);
    });

    test.each(['mean', 'max'] as const)('attention rollout, %s over heads', (heads) => {
      tf.tidy(() => {
        const maps = attentionRollout(vit, pixelsOf(2), { heads });
        expect(maps.shape).toEqual([2, 4, 4]);
        expect(relativeDifference(maps.dataSync(), unpacked(expected.rollout[heads]))).toBeLessThan(1e-5);
      });
    });
  });
});

describe('other embeddings', () => {
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(before));

  test('rollout of the mean of the patches', async () => {
    const vit = await loadVit(fixture('dinov2-tiny'), { pooling: 'mean' });
    tf.tidy(() => {
      const maps = attentionRollout(vit, pixelsOf(2)).dataSync();
      const expected = unpacked(goldens['dinov2-tiny'].plain.rollout.patches);
      expect(relativeDifference(maps, expected)).toBeLessThan(1e-5);
    });
    vit.dispose();
  });

  test("SigLIP's head: gradients are complete, a rollout is refused", async () => {
    const vit = await loadVit(fixture('architectures/siglip'));
    const pixels = pixelsOf(1);
    const found = await integratedGradients(logit(vit), pixels, { steps: 12 });
    expect(Math.abs(found.outputs[0]! - found.baselineOutputs[0]!)).toBeGreaterThan(0.05);
    expect(Math.abs(found.deltas[0]!)).toBeLessThan(1e-3);
    expect(() => attentionRollout(vit, pixels)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    tf.dispose([pixels, found.attributions]);
    vit.dispose();
  });

  test('refuses what does not fit', async () => {
    const pixels = pixelsOf(1);
    const sum = (given: tf.Tensor4D) => tf.sum(given, [1, 2, 3]) as tf.Tensor1D;
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    await expect(integratedGradients(sum, pixels, { steps: 0 })).rejects.toThrow(invalid);
    await expect(integratedGradients(sum, pixels, { batchSize: 1.5 })).rejects.toThrow(invalid);
    const small = tf.zeros([1, 8, 16, 3]) as tf.Tensor4D;
    await expect(integratedGradients(sum, pixels, { baseline: small })).rejects.toThrow(invalid);
    const whole = (given: tf.Tensor4D) => tf.sum(given) as unknown as tf.Tensor1D;
    const before = tf.memory().numTensors;
    await expect(integratedGradients(whole, pixels)).rejects.toThrow(invalid);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([pixels, small]);
  });
});

test('Gauss-Legendre: weights sum to 1, polynomials up to degree 2 n - 1 are exact', () => {
  for (const count of [1, 2, 7, 50, 101]) {
    const { nodes, weights } = gaussLegendre(count);
    for (const degree of [0, 1, 2 * count - 1]) {
      const integral = nodes.reduce((sum, node, i) => sum + weights[i]! * node ** degree, 0);
      expect(Math.abs(integral * (degree + 1) - 1)).toBeLessThan(1e-12);
    }
  }
});

describe('randomised weights', () => {
  let vit: Vit;
  beforeAll(async () => {
    vit = await loadVit(fixture('dinov2-tiny'));
    attachLora(
      vit,
      { r: 2, target_modules: ['query', 'value'], layers_to_transform: [2], modules_to_save: ['layernorm'] },
      { seed: 1 },
    );
  });
  afterAll(() => vit.dispose());
  const classToken = () => tf.tidy(() => Array.from(vit.forward(pixelsOf(1)).cls.dataSync()));
  const rollout = () => tf.tidy(() => Array.from(attentionRollout(vit, pixelsOf(1)).dataSync()));
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

  test('every stage changes the embedding; at the end all is as it was, to the bit', async () => {
    const [token, before] = [classToken(), tf.memory().numTensors];
    const stages = await randomisedWeightsCheck(classToken, randomisedBlocks(vit, { seed: 4 }), distance);
    expect(stages.map(({ name }) => name)).toEqual(['block 2', 'block 1', 'block 0']);
    for (const { similarity } of stages) expect(similarity).toBeGreaterThan(0.01);
    expect(classToken()).toEqual(token);
    expect(tf.memory().numTensors).toBe(before);
    // The same seed makes the same model random.
    expect(await randomisedWeightsCheck(classToken, randomisedBlocks(vit, { seed: 4 }), distance)).toEqual(
      stages,
    );
  });

  test('parts are cumulative, and put back after an error', async () => {
    const token = classToken();
    const parts = randomisedBlocks(vit, { seed: 4, firsts: [1, 0] });
    const stages = await randomisedWeightsCheck(rollout, parts, distance);
    expect(stages.map(({ name }) => name)).toEqual(['blocks 1 to 2', 'block 0']);
    const broken: RandomisedPart = {
      name: 'broken',
      randomise: () => {
        throw new Error('broken');
      },
    };
    await expect(randomisedWeightsCheck(rollout, [...parts, broken], distance)).rejects.toThrow('broken');
    expect(classToken()).toEqual(token);
    for (const firsts of [[3], [1, 1], [-1], [0.5]])
      expect(() => randomisedBlocks(vit, { seed: 1, firsts })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
  });
});
