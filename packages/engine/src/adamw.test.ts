import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import golden from './__fixtures__/adamw.json' with { type: 'json' };
import { AdamW } from './adamw.js';
import { clipByGlobalNorm } from './clip-gradients.js';
import { startEngine } from './start-engine.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

const target = golden.target;
const loss = (weight: tf.Tensor) => tf.sum(tf.pow(tf.sub(weight, target), 4)) as tf.Scalar;

/** One clipped step; returns the loss before it and the gradient's norm. */
function step(optimizer: AdamW, weight: tf.Variable): { loss: number; norm: number } {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(() => loss(weight), [weight]);
    const clipped = clipByGlobalNorm(grads, 1);
    optimizer.applyGradients(clipped.gradients);
    return { loss: value.dataSync()[0] as number, norm: clipped.norm.dataSync()[0] as number };
  });
}

test("ten clipped steps equal torch.optim.AdamW's", () => {
  const before = tf.memory().numTensors;
  const start = tf.tensor2d(golden.start);
  const weight = tf.variable(start);
  start.dispose();
  const optimizer = new AdamW({ learningRate: 0.05, weightDecay: 0.1 });
  for (let i = 0; i < 10; i++) {
    const { loss, norm } = step(optimizer, weight);
    // float32 on both sides: a relative 1e-5 is about a hundred roundings
    expect(Math.abs(loss / golden.losses[i]! - 1)).toBeLessThan(1e-5);
    expect(Math.abs(norm / golden.norms[i]! - 1)).toBeLessThan(1e-5);
  }
  const end = golden.end.flat();
  weight.dataSync().forEach((value, i) => {
    expect(Math.abs(value - end[i]!)).toBeLessThan(1e-5);
  });
  optimizer.dispose();
  weight.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('a restored optimiser takes bit-identical steps', async () => {
  const run = async (interruptAt: number | null) => {
    const start = tf.tensor2d(golden.start);
    let weight = tf.variable(start);
    let optimizer = new AdamW({ learningRate: 0.05, weightDecay: 0.1 });
    for (let i = 0; i < 20; i++) {
      if (i === interruptAt) {
        const state = await optimizer.state();
        const saved = weight.dataSync().slice();
        optimizer.dispose();
        const name = weight.name;
        weight.dispose();
        weight = tf.variable(tf.tensor2d(saved, [3, 2]), true, name);
        optimizer = new AdamW({ learningRate: 0.05, weightDecay: 0.1 });
        optimizer.restore(state);
      }
      step(optimizer, weight);
    }
    const bytes = new Uint8Array(weight.dataSync().slice().buffer);
    weight.dispose();
    optimizer.dispose();
    return bytes;
  };
  expect(await run(7)).toEqual(await run(null));
});

test('a state of another model is refused', async () => {
  const optimizer = new AdamW();
  const moments = { nobody: { first: new Float32Array(2), second: new Float32Array(2) } };
  expect(() => optimizer.restore({ step: 1, moments })).toThrowError(
    expect.objectContaining({ code: 'STATE_MISMATCH' }),
  );
});

test('a group takes the steps of an optimiser of its own, bit for bit', () => {
  const before = tf.memory().numTensors;
  const both = [0, 1].map(() => tf.tidy(() => tf.variable(tf.tensor2d(golden.start))));
  const alone = [0, 1].map(() => tf.tidy(() => tf.variable(tf.tensor2d(golden.start))));
  const grouped = new AdamW({
    learningRate: 0.05,
    weightDecay: 0.1,
    groups: [{ variables: [both[1]!], learningRateFactor: 0.5, weightDecay: 0 }],
  });
  const separate = [
    new AdamW({ learningRate: 0.05, weightDecay: 0.1 }),
    new AdamW({ learningRate: 0.025, weightDecay: 0 }),
  ];
  const gradients = (variables: tf.Variable[]) =>
    tf.variableGrads(() => tf.addN(variables.map(loss)) as tf.Scalar, variables).grads;
  for (let i = 0; i < 5; i++) {
    tf.tidy(() => grouped.applyGradients(gradients(both)));
    alone.forEach((variable, at) => {
      tf.tidy(() => separate[at]!.applyGradients(gradients([variable])));
    });
  }
  both.forEach((variable, at) => {
    expect(variable.dataSync()).toEqual(alone[at]!.dataSync());
  });
  expect(both[0]!.dataSync()).not.toEqual(both[1]!.dataSync());
  tf.dispose([...both, ...alone]);
  for (const each of [grouped, ...separate]) each.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
