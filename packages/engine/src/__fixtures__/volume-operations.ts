import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { conv3d } from '../convolution-3d.js';
import { instanceNorm3d } from '../instance-norm-3d.js';
import { conv3dTranspose } from '../transposed-convolution-3d.js';

interface Stored {
  shape: number[];
  values: number[];
}

interface Case {
  name: string;
  operation: 'conv3d' | 'conv3dTranspose' | 'instanceNorm3d';
  options: object;
  inputs: Stored[];
  output: Stored;
  dy: Stored;
  gradients: Stored[];
}

const OPERATIONS = { conv3d, conv3dTranspose, instanceNorm3d } as unknown as Record<
  string,
  (...given: unknown[]) => tf.Tensor
>;
const tensor = ({ shape, values }: Stored) => tf.tensor(values, shape);

/** Every case of volume-operations.json on the backend that runs: float32 against torch's float64. */
export function testVolumeOperations(): void {
  const file = new URL('./volume-operations.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
  test.each(cases)('$operation, $name: values and gradients are those of torch', (given) => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const inputs = given.inputs.map(tensor);
      const apply = (...those: tf.Tensor[]) =>
        OPERATIONS[given.operation]!(...those, ...Array(3 - those.length).fill(undefined), given.options);
      expectNear(apply(...inputs), given.output);
      const gradients = tf.grads(apply)(inputs, tensor(given.dy));
      gradients.forEach((gradient, index) => {
        expectNear(gradient, given.gradients[index]!);
      });
    });
    expect(tf.memory().numTensors).toBe(before);
  });
}

/** Sums of at most some hundred products of numbers around 1, in float32. */
function expectNear(found: tf.Tensor, expected: Stored): void {
  expect(found.shape).toEqual(expected.shape);
  const values = found.dataSync();
  const scale = Math.max(1, ...expected.values.map(Math.abs));
  const error = Math.max(...expected.values.map((value, index) => Math.abs(value - values[index]!)));
  expect(error / scale).toBeLessThan(5e-6);
}
