import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { EngineError } from './engine-error.js';
import { startEngine, stopEngine } from './start-engine.js';

test('starts the backend asked for and says what runs', async () => {
  const info = await startEngine({ backend: 'cpu', seed: 3 });
  expect(info).toMatchObject({
    backend: 'cpu',
    device: 'cpu',
    seed: 3,
    tfjs: '4.22.0',
    oneDnn: null,
    tf32: null,
  });
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

test('once stopped, another backend can start: wasm multiplies and softmaxes', async () => {
  await startEngine({ backend: 'cpu' });
  await stopEngine();
  const info = await startEngine({ backend: 'wasm' });
  expect(info).toMatchObject({ backend: 'wasm', library: '@tensorflow/tfjs-backend-wasm', deviceName: null });
  const before = tf.memory().numTensors;
  const values = tf.tidy(() =>
    tf
      .softmax(
        tf.matMul(
          tf.tensor2d([[1, 2]]),
          tf.tensor2d([
            [1, 0],
            [0, 1],
          ]),
        ),
      )
      .arraySync(),
  );
  expect(values).toEqual([[expect.closeTo(1 / (1 + Math.E), 6), expect.closeTo(Math.E / (1 + Math.E), 6)]]);
  expect(tf.memory().numTensors).toBe(before);
  await stopEngine();
});
