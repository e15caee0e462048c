import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { EngineError } from './engine-error.js';
import { startEngine } from './start-engine.js';

test('a backend that is not there is an error, not another backend', async () => {
  await expect(startEngine({ backend: 'wasm' })).rejects.toMatchObject({ code: 'BACKEND_MISSING' });
  expect(tf.engine().backendName).toBeUndefined();
});

test('starts the backend asked for and says what runs', async () => {
  const info = await startEngine({ backend: 'cpu', seed: 3 });
  expect(info).toMatchObject({ backend: 'cpu', device: 'cpu', seed: 3, tfjs: '4.22.0', oneDnn: null });
  expect(tf.getBackend()).toBe('cpu');
});

test('gradients are registered: d/dx sum(relu(x)^2) = 2 relu(x)', async () => {
  await startEngine({ backend: 'cpu' });
  const before = tf.memory().numTensors;
  const values = tf.tidy(() => {
    const gradient = tf.grad((x) => tf.sum(tf.square(tf.relu(x))));
    return gradient(tf.tensor1d([-1, 2, 3])).arraySync();
  });
  expect(values).toEqual([0, 4, 6]);
  expect(tf.memory().numTensors).toBe(before);
});

test('one process runs one backend', async () => {
  await startEngine({ backend: 'cpu' });
  const error = await startEngine({ backend: 'tensorflow' }).catch((e) => e);
  expect(EngineError.isInstance(error) && error.code).toBe('BACKEND_RUNNING');
});
