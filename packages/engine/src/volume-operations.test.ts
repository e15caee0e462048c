import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { testVolumeOperations } from './__fixtures__/volume-operations.js';
import { conv3d, conv3dTranspose, instanceNorm3d, startEngine } from './index.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

testVolumeOperations();

test('a gradient frees what the forward pass kept', () => {
  const before = tf.memory().numTensors;
  const x = tf.randomNormal<tf.Rank.R5>([1, 2, 4, 4, 2]);
  const filter = tf.tidy(() => tf.variable(tf.randomNormal<tf.Rank.R5>([3, 3, 3, 2, 2])));
  const scale = tf.tidy(() => tf.variable(tf.ones<tf.Rank.R1>([2])));
  const shift = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([2])));
  const { value, grads } = tf.variableGrads(() => {
    const convolved = conv3d(x, filter as tf.Tensor5D, undefined, { inputGradient: false });
    return tf.sum(tf.square(instanceNorm3d(convolved, scale, shift, { negativeSlope: 0.01 }))) as tf.Scalar;
  });
  expect(Object.keys(grads).length).toBe(3);
  tf.dispose([x, filter, scale, shift, value, grads]);
  expect(tf.memory().numTensors).toBe(before);
});

test('shapes that do not fit are refused with both numbers', () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R5>([1, 2, 2, 2, 3]);
    expect(() => conv3d(x, tf.zeros([3, 3, 3, 2, 1]), undefined)).toThrow(/3 channels, the filter .* for 2/);
    expect(() => conv3d(x, tf.zeros([3, 3, 3, 3, 1]), undefined, { padding: [0, 0, 0] })).toThrow(
      /3 elements .* does not fit the 2 elements of axis 0/,
    );
    expect(() =>
      conv3dTranspose(x, tf.zeros([2, 2, 2, 1, 3]), undefined, {
        strides: [2, 2, 2],
        outputPadding: [0, 2, 0],
      }),
    ).toThrow(/axis 1 .* outputPadding 2/);
  });
});
