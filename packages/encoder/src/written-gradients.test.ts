import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

/** The largest difference between d sum(f(x) w) / dx as f writes it out and as tfjs derives it from the plain formula. */
function gradientDifference(
  written: (x: tf.Tensor) => tf.Tensor,
  plain: (x: tf.Tensor) => tf.Tensor,
): number {
  const before = tf.memory().numTensors;
  const difference = tf.tidy(() => {
    const x = tf.mul(tf.reshape(tf.sin(tf.range(0, 40)), [5, 8]), 3);
    const w = tf.reshape(tf.cos(tf.range(0, 40)), [5, 8]);
    const gradientOf = (f: (x: tf.Tensor) => tf.Tensor) => tf.grad((x) => tf.sum(tf.mul(f(x), w)))(x);
    return tf.max(tf.abs(tf.sub(gradientOf(written), gradientOf(plain)))).dataSync()[0]!;
  });
  expect(tf.memory().numTensors).toBe(before);
  return difference;
}

test('gelu: 0.5 x (1 + erf(x / sqrt 2)) and its derivative', () => {
  const plain = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  expect(gradientDifference(gelu, plain)).toBeLessThan(2e-6); // float32; tfjs's erf is good to 1.5e-7
  const values = tf.tidy(() => gelu(tf.tensor1d([-2, -0.5, 0, 1, 3])).arraySync());
  const expected = [-0.0455002639, -0.1542687694, 0, 0.8413447461, 2.9959503059]; // x Phi(x) by scipy
  values.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 6);
  });
});

test('layerNorm and its derivative', () => {
  tf.tidy(() => {
    const weight = tf.linspace(0.5, 2, 8);
    const bias = tf.linspace(-1, 1, 8);
    const plain = (x: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.01))), weight), bias);
    };
    const written = (x: tf.Tensor) => layerNorm(x, { weight, bias, epsilon: 0.01 });
    expect(gradientDifference(written, plain)).toBeLessThan(2e-6);
    const x = tf.reshape(tf.sin(tf.range(0, 16)), [2, 8]);
    expect(tf.max(tf.abs(tf.sub(written(x), plain(x)))).dataSync()[0]).toBeLessThan(1e-6);
  });
});
