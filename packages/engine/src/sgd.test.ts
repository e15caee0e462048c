import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import golden from './__fixtures__/sgd.json' with { type: 'json' };
import { Sgd } from './sgd.js';
import { startEngine } from './start-engine.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

const loss = (weight: tf.Tensor) => tf.sum(tf.pow(tf.sub(weight, golden.target), 4)) as tf.Scalar;
const options = { learningRate: 0.002, momentum: 0.99, weightDecay: 0.1 };
const variableOf = (values: number[], name?: string) =>
  tf.tidy(() => tf.variable(tf.tensor2d(values, [3, 2]), true, name));

test("ten steps with Nesterov's momentum and weight decay equal torch.optim.SGD's", () => {
  const before = tf.memory().numTensors;
  const weight = variableOf(golden.start.flat());
  const optimizer = new Sgd(options);
  for (const expected of golden.losses) {
    const found = tf.tidy(() => optimizer.minimize(() => loss(weight), true, [weight])!.dataSync()[0]!);
    expect(Math.abs(found / expected - 1)).toBeLessThan(1e-5); // float32 on both sides
  }
  const end = golden.end.flat();
  weight.dataSync().forEach((value, at) => {
    expect(Math.abs(value - end[at]!)).toBeLessThan(1e-5);
  });
  optimizer.dispose();
  weight.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('a restored optimiser takes bit-identical steps', async () => {
  const run = async (interruptAt: number | null) => {
    let weight = variableOf(golden.start.flat());
    let optimizer = new Sgd(options);
    for (let step = 0; step < 12; step++) {
      if (step === interruptAt) {
        const [state, values, name] = [await optimizer.state(), weight.dataSync().slice(), weight.name];
        optimizer.dispose();
        weight.dispose();
        weight = variableOf(Array.from(values), name);
        optimizer = new Sgd(options);
        optimizer.restore(state);
      }
      tf.tidy(() => void optimizer.minimize(() => loss(weight), false, [weight]));
    }
    const values = [...weight.dataSync()];
    optimizer.dispose();
    weight.dispose();
    return values;
  };
  expect(await run(5)).toEqual(await run(null));
});

test('a velocity of another size is refused', () => {
  const weight = variableOf(golden.start.flat());
  expect(() => new Sgd().restore({ [weight.name]: new Float32Array(5) })).toThrow(/5 velocities .* has 6/);
  weight.dispose();
});
