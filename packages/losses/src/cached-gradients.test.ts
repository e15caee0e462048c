import { RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { binaryCrossEntropy, cachedContrastiveGradients, hardNegativeLoss, supConLoss } from './index.js';

let tensors = 0;
let made: tf.Variable[] = [];
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
  tf.engine().startScope();
});
afterEach(() => {
  tf.engine().endScope();
  tf.dispose(made); // variables outlive scopes
  expect(tf.memory().numTensors).toBe(tensors);
});

/** Twelve items, a two-layer encoder with dropout, a logit and a projection. */
function problem() {
  const labels = [1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
  const inputs = tf.randomNormal([12, 6], 0, 1, 'float32', 3) as tf.Tensor2D;
  const hidden = tf.variable(tf.randomNormal([6, 8], 0, 0.5, 'float32', 4) as tf.Tensor2D);
  const project = tf.variable(tf.randomNormal([8, 4], 0, 0.5, 'float32', 5) as tf.Tensor2D);
  const head = tf.variable(tf.randomNormal([8, 1], 0, 0.5, 'float32', 6) as tf.Tensor2D);
  const variables = [hidden, project, head];
  made = variables;
  const random = new RandomStream(9, 'dropout');
  const forward = (rows: tf.Tensor2D) => {
    const dropped = Float32Array.from({ length: rows.shape[0] * 8 }, () => (random.uniform() < 0.3 ? 0 : 1));
    const features = tf.mul(
      tf.tanh(tf.matMul(rows, hidden)),
      tf.tensor2d(dropped, [rows.shape[0], 8]),
    ) as tf.Tensor2D;
    return {
      embeddings: tf.matMul(features, project),
      logits: tf.reshape(tf.matMul(features, head), [-1]),
    };
  };
  const loss = ({ embeddings, logits }: { embeddings: tf.Tensor; logits: tf.Tensor }) =>
    tf.addN([
      binaryCrossEntropy(logits, labels),
      tf.mul(supConLoss(embeddings, labels, { temperature: 0.5 }), 0.5),
      tf.mul(hardNegativeLoss(embeddings, labels, { mode: 'topk' }), 0.3),
    ]) as tf.Scalar;
  return { labels, inputs, variables, random, forward, loss };
}

function largestDifference(a: tf.NamedTensorMap, b: tf.NamedTensorMap): number {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  return Math.max(...Object.keys(a).map((name) => tf.max(tf.abs(tf.sub(a[name]!, b[name]!))).dataSync()[0]!));
}

test.each([1, 3, 4, 12])('%i chunks give the gradient of the whole batch, dropout included', (chunks) => {
  const { inputs, variables, random, forward, loss } = problem();
  const size = 12 / chunks;
  const chunkOf = (chunk: number) => tf.slice(inputs, [chunk * size, 0], [size, 6]) as tf.Tensor2D;
  const start = random.state();
  const direct = tf.variableGrads(() => loss(forward(inputs)), variables);
  const end = random.state();
  random.restore(start);
  const cached = cachedContrastiveGradients({
    chunks,
    forward: (chunk) => forward(chunkOf(chunk)),
    loss,
    variables,
    streams: [random, undefined],
  });
  expect(cached.value.dataSync()[0]).toBeCloseTo(direct.value.dataSync()[0]!, 6);
  // float32 sums in another order; the gradients' largest entry is about 0.3
  expect(largestDifference(cached.grads, direct.grads)).toBeLessThan(1e-6);
  expect(random.state()).toEqual(end); // the stream goes on as after one pass
});

test('accumulating the loss of each chunk is something else', () => {
  const { inputs, labels, variables, forward } = problem();
  const whole = tf.variableGrads(
    () => supConLoss(forward(inputs).embeddings, labels, { temperature: 0.5 }),
    variables.slice(0, 2),
  );
  const accumulated = tf.variableGrads(
    () =>
      tf.mean(
        tf.stack(
          [0, 1, 2, 3].map((chunk) =>
            supConLoss(
              forward(tf.slice(inputs, [chunk * 3, 0], [3, 6]) as tf.Tensor2D).embeddings,
              labels.slice(chunk * 3, chunk * 3 + 3),
              { temperature: 0.5 },
            ),
          ),
        ),
      ) as tf.Scalar,
    variables.slice(0, 2),
  );
  expect(largestDifference(whole.grads, accumulated.grads)).toBeGreaterThan(1e-2);
});

test('chunks of unequal size, an output that the loss leaves out, and no tensor left behind', () => {
  const { inputs, labels, variables, random, forward } = problem();
  const sizes = [5, 1, 6];
  const before = tf.memory().numTensors;
  const { value, grads } = cachedContrastiveGradients({
    chunks: 3,
    forward: (chunk) =>
      forward(
        tf.slice(
          inputs,
          [sizes.slice(0, chunk).reduce((sum, size) => sum + size, 0), 0],
          [sizes[chunk]!, 6],
        ) as tf.Tensor2D,
      ),
    loss: ({ embeddings }) => supConLoss(embeddings, labels),
    variables,
    streams: [random],
  });
  expect(tf.memory().numTensors).toBe(before + 1 + Object.keys(grads).length);
  expect(value.shape).toEqual([]);
  expect(Math.max(...tf.abs(grads[variables[2]!.name]!).dataSync())).toBe(0); // the head is not in this loss
  expect(Math.max(...tf.abs(grads[variables[1]!.name]!).dataSync())).toBeGreaterThan(1e-3);
});

test('what cannot be cut into chunks is refused, and nothing leaks', () => {
  const { inputs, variables, forward, loss } = problem();
  const options = { chunks: 2, forward: () => forward(inputs), loss, variables };
  const before = tf.memory().numTensors;
  const code = (wrong: string) => expect.objectContaining({ code: wrong });
  expect(() => cachedContrastiveGradients({ ...options, chunks: 0 })).toThrow(code('OPTIONS'));
  expect(() => cachedContrastiveGradients({ ...options, variables: [] })).toThrow(code('OPTIONS'));
  expect(() =>
    cachedContrastiveGradients({
      ...options,
      forward: () => ({ embeddings: tf.ones([3, 4]), logits: tf.ones([2]) }),
    }),
  ).toThrow(code('SHAPE'));
  expect(() => cachedContrastiveGradients({ ...options, forward: () => ({}) as never })).toThrow(
    code('SHAPE'),
  );
  expect(tf.memory().numTensors).toBe(before);
});
