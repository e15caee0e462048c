import { fileURLToPath } from 'node:url';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import goldens from './__fixtures__/goldens.json' with { type: 'json' };
import { loadVit } from './load-vit.js';
import type { Vit } from './vit.js';

/** As in tooling/reference/encoder_goldens.py: sin(0.7 i) in the order [B, H, W, 3]. */
function pixelsOf(size: readonly number[]): tf.Tensor4D {
  const [batch, height, width] = size as [number, number, number];
  const values = Float32Array.from({ length: batch * height * width * 3 }, (_, index) =>
    Math.sin(0.7 * index),
  );
  return tf.tensor4d(values, [batch, height, width, 3]);
}

function largestDifference(actual: tf.Tensor, expected: readonly number[]): number {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  return expected.reduce((largest, value, index) => Math.max(largest, Math.abs(value - values[index]!)), 0);
}

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

describe.each(['dinov2-tiny', 'vit-tiny'] as const)('%s', (name) => {
  let vit: Vit;
  beforeAll(async () => {
    vit = await loadVit(fileURLToPath(new URL(`./__fixtures__/${name}`, import.meta.url)));
  });
  afterAll(() => vit.dispose());

  // float32 sums in another order than torch's: measured 3.6e-7 at most, on values up to 1.3.
  test.each(goldens[name].outputs)(
    'equals transformers on pixels $size to 1e-5',
    ({ size, cls, patches }) => {
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const output = vit.forward(pixelsOf(size));
        expect(output.cls.shape).toEqual([size[0], 32]);
        expect(largestDifference(output.cls, cls)).toBeLessThan(1e-5);
        expect(largestDifference(output.patches, patches)).toBeLessThan(1e-5);
      });
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test.each([0, 1, 2, 3])('prefix of %i blocks, then classToken, is forward', (frozenBlocks) => {
    const before = tf.memory().numTensors;
    const pixels = pixelsOf([2, 16, 16]);
    const tokens = vit.prefix(pixels, frozenBlocks);
    const cls = vit.classToken(tokens, frozenBlocks);
    expect(tokens.shape).toEqual([2, 17, 32]);
    expect(largestDifference(cls, goldens[name].outputs[0]!.cls)).toBeLessThan(1e-5);
    expect(tf.memory().numTensors).toBe(before + 3);
    tf.dispose([pixels, tokens, cls]);
  });

  test('refuses pixels and blocks that do not fit', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
      expect(() => vit.forward(tf.zeros([1, 16, 15, 3]))).toThrow(invalid);
      expect(() => vit.forward(tf.zeros([1, 16, 16, 1]))).toThrow(invalid);
      expect(() => vit.forward(tf.zeros([0, 16, 16, 3]))).toThrow(invalid);
      expect(() => vit.prefix(tf.zeros([1, 16, 16, 3]), 4)).toThrow(invalid);
      expect(() => vit.classToken(tf.zeros([1, 17, 31]), 2)).toThrow(invalid);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('dispose frees everything', async () => {
  const before = tf.memory().numTensors;
  const vit = await loadVit(fileURLToPath(new URL('./__fixtures__/vit-tiny', import.meta.url)));
  expect(tf.memory().numTensors).toBeGreaterThan(before);
  vit.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
