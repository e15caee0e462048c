import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { type Activation, activate, isActivation } from './activation.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

// transformers 5.23 ACT2FN in float64; float32 and tfjs's erf (1.5e-7) leave six digits.
test.each<[Activation, number[]]>([
  ['gelu', [-0.004049694, -0.100210802, -0.084148058, 0.530625443, 2.484475837]],
  ['gelu_pytorch_tanh', [-0.003637392, -0.100428423, -0.08414857, 0.530570135, 2.484915734]],
  ['gelu_new', [-0.003637392, -0.100428423, -0.08414857, 0.530570135, 2.484915734]],
  ['quick_gelu', [-0.01807131, -0.108337802, -0.083142463, 0.536893952, 2.465013835]],
  ['silu', [-0.14227762, -0.273638286, -0.090033201, 0.467731441, 2.31035455]],
  ['relu', [0, 0, 0, 0.7, 2.5]],
])('%s', (name, expected) => {
  const before = tf.memory().numTensors;
  const values = tf.tidy(() => activate(tf.tensor2d([[-3, -1.5, -0.2, 0.7, 2.5]]), name).dataSync());
  expected.forEach((value, index) => {
    expect(Math.abs(values[index]! - value)).toBeLessThan(1e-6);
  });
  expect(tf.memory().numTensors).toBe(before);
  expect(isActivation(name)).toBe(true);
});

test('a name that every object has is no activation', () => {
  expect(isActivation('toString')).toBe(false);
});
