import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { ExponentialAverage } from './exponential-average.js';
import { startEngine } from './start-engine.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

const set = (variable: tf.Variable, value: number) =>
  tf.tidy(() => variable.assign(tf.fill(variable.shape, value)));

test('it follows the variables by min(decay, (1 + n) / (10 + n)) and is there only while it is asked for', async () => {
  const before = tf.memory().numTensors;
  const weight = tf.tidy(() => tf.variable(tf.tensor1d([1, 1])));
  const average = new ExponentialAverage({ weight }, { decay: 0.2 });
  let expected = 1;
  for (let n = 1; n <= 4; n++) {
    set(weight, n + 1);
    average.update();
    const decay = Math.min(0.2, (1 + n) / (10 + n)); // 2/11, then 0.2
    expected = decay * expected + (1 - decay) * (n + 1);
  }
  const seen = await average.apply(async () => weight.dataSync()[0]!);
  expect(seen).toBeCloseTo(expected, 6);
  expect([...weight.dataSync()]).toEqual([5, 5]);
  const failing = average.apply(() => Promise.reject(new Error('stop')));
  await expect(failing).rejects.toThrow('stop');
  expect([...weight.dataSync()]).toEqual([5, 5]);
  average.dispose();
  weight.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('restored, it goes on bit for bit; a state of another model is refused', async () => {
  const weight = tf.tidy(() => tf.variable(tf.tensor1d([0.1, 0.3])));
  const first = new ExponentialAverage({ weight }, { decay: 0.9 });
  set(weight, 0.7);
  first.update();
  const second = new ExponentialAverage({ weight }, { decay: 0.9 });
  second.restore(await first.state());
  set(weight, 0.2);
  for (const each of [first, second]) each.update();
  expect(await second.state()).toEqual(await first.state());
  expect(() => second.restore({ updates: 1, averages: { other: new Float32Array(2) } })).toThrowError(
    expect.objectContaining({ code: 'STATE_MISMATCH' }),
  );
  expect(() => new ExponentialAverage({ weight }, { decay: 1 })).toThrowError(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
  for (const each of [first, second]) each.dispose();
  weight.dispose();
});
