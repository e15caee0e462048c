import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  balancedClassWeights,
  binaryCrossEntropy,
  crossEntropy,
  type EmbeddingMemory,
  focalLoss,
  hardNegativeLoss,
  supConLoss,
} from './index.js';

let tensors = 0;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
  tf.engine().startScope();
});
afterEach(() => {
  tf.engine().endScope();
  expect(tf.memory().numTensors).toBe(tensors);
});

type PairLoss = (rows: tf.Tensor, labels: number[], memory?: EmbeddingMemory) => tf.Scalar;
const pairLosses: Record<string, PairLoss> = {
  supCon: (rows, labels, memory) => supConLoss(rows, labels, { ...(memory && { memory }) }),
  reweight: (rows, labels, memory) =>
    hardNegativeLoss(rows, labels, { mode: 'reweight', beta: 5, ...(memory && { memory }) }),
  hscl: (rows, labels, memory) =>
    hardNegativeLoss(rows, labels, { mode: 'reweight', form: 'hscl', ...(memory && { memory }) }),
  topk: (rows, labels, memory) => hardNegativeLoss(rows, labels, { mode: 'topk', ...(memory && { memory }) }),
  batchHardTriplet: (rows, labels, memory) =>
    hardNegativeLoss(rows, labels, { mode: 'batchHardTriplet', ...(memory && { memory }) }),
};

const spread = [
  [1, 2, 0],
  [3, -1, 1],
  [0, 1, -2],
  [-1, 0, 1],
];
const same = Array.from({ length: 4 }, () => [0.3, -0.4, 0.2]);
const opposite = [
  [1, 0, 0],
  [-1, 0, 0],
  [1, 0, 0],
  [-1, 0, 0],
];
const zero = Array.from({ length: 4 }, () => [0, 0, 0]);
const tiny = spread.map((row) => row.map((value) => value * 1e-20)); // its squares are below float32's smallest number
const huge = spread.map((row) => row.map((value) => value * 1e15));
const empty = (): EmbeddingMemory => ({ embeddings: tf.zeros([0, 3]), labels: [] });
const oneClass = (): EmbeddingMemory => ({ embeddings: tf.tensor2d(spread), labels: [1, 1, 1, 1] });

/** Name, rows, labels, memory, and whether every loss is 0 with a zero gradient. */
const batches: [string, number[][], number[], (() => EmbeddingMemory) | undefined, boolean][] = [
  ['one class', spread, [1, 1, 1, 1], undefined, false],
  ['no positives', spread, [0, 1, 2, 3], undefined, false],
  ['one anchor without a positive', spread, [0, 0, 0, 1], undefined, false],
  ['a batch of one', [[1, 2, 3]], [1], undefined, true],
  ['a batch of one, an empty memory', [[1, 2, 3]], [1], empty, true],
  ['a batch of one, a memory of its class', [[1, 2, 3]], [1], oneClass, false],
  ['a batch of one, a memory of the other class', [[1, 2, 3]], [0], oneClass, false],
  ['identical embeddings', same, [0, 1, 0, 1], undefined, false],
  ['identical embeddings of one class', same, [1, 1, 1, 1], undefined, false],
  ['opposite embeddings', opposite, [0, 1, 0, 1], undefined, false],
  ['zero embeddings', zero, [0, 1, 0, 1], undefined, false],
  ['tiny embeddings', tiny, [0, 1, 0, 1], undefined, false],
  ['huge embeddings', huge, [0, 1, 0, 1], undefined, false],
];

describe.each(Object.entries(pairLosses))('%s', (_name, loss) => {
  test.each(batches)('%s: value and gradient are finite', (_batch, rows, labels, memory, nothing) => {
    const embeddings = tf.tensor2d(rows);
    const { value, grad } = tf.valueAndGrad((given: tf.Tensor) => loss(given, labels, memory?.()))(
      embeddings,
    );
    const [found] = value.dataSync();
    expect(Number.isFinite(found)).toBe(true);
    expect(found).toBeGreaterThanOrEqual(-1e-6);
    expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
    if (!nothing) return;
    expect(Math.abs(found!)).toBe(0);
    expect([...grad.dataSync()].every((each) => each === 0)).toBe(true);
  });
});

test.each(['supCon', 'reweight', 'hscl', 'batchHardTriplet'])('%s: without positives it is 0', (name) => {
  const { value, grad } = tf.valueAndGrad((given: tf.Tensor) => pairLosses[name]!(given, [0, 1, 2, 3]))(
    tf.tensor2d(spread),
  );
  expect(Math.abs(value.dataSync()[0]!)).toBe(0);
  expect([...grad.dataSync()].every((each) => Math.abs(each) === 0)).toBe(true);
});

test.each(['hscl', 'topk', 'batchHardTriplet'])('%s: of one class it is 0', (name) => {
  expect(Math.abs(pairLosses[name]!(tf.tensor2d(spread), [1, 1, 1, 1]).dataSync()[0]!)).toBe(0);
});

test('equal embeddings give SupCon its chance value, log of the other keys', () => {
  expect(supConLoss(tf.tensor2d(same), [0, 1, 0, 1]).dataSync()[0]).toBeCloseTo(Math.log(3), 5);
});

describe('classification', () => {
  const losses: [string, (logits: tf.Tensor, labels: number[]) => tf.Scalar][] = [
    ['binaryCrossEntropy', (logits, labels) => binaryCrossEntropy(logits, labels, { posWeight: 3 })],
    ['focalLoss', (logits, labels) => focalLoss(logits, labels, { alpha: 0.25 })],
    ['crossEntropy', (logits, labels) => crossEntropy(logits, labels, { classWeights: [1, 3] })],
    ['crossEntropy of weight 0', (logits, labels) => crossEntropy(logits, labels, { classWeights: [0, 0] })],
  ];
  const given: [string, number[], number[]][] = [
    ['one class', [0.3, -2, 1], [1, 1, 1]],
    ['one item', [0.3], [0]],
    ['equal logits', [0, 0, 0], [0, 1, 0]],
    ['wrong and sure', [80, -80, 500], [0, 1, 0]],
  ];
  test.each(losses.flatMap(([name, loss]) => given.map((each) => [name, loss, ...each] as const)))(
    '%s: value and gradient are finite',
    (_name, loss, _batch, logits, labels) => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, labels))(tf.tensor1d(logits));
      expect(Number.isFinite(value.dataSync()[0])).toBe(true);
      expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
    },
  );

  test('classes of weight 0 and empty batches give 0', () => {
    const loss = crossEntropy(tf.tensor2d([[1, 2, 3]]), [1], { classWeights: [1, 0, 1] });
    expect(loss.dataSync()[0]).toBe(0);
    expect(crossEntropy(tf.zeros([0, 3]), []).dataSync()[0]).toBe(0);
  });

  test('with two classes of equal weight it is binary cross-entropy, and labels may be a tensor', () => {
    const logits = tf.tensor1d([0.3, -2, 1]);
    const expected = binaryCrossEntropy(logits, [1, 0, 0]).dataSync()[0]!;
    expect(crossEntropy(logits, [1, 0, 0]).dataSync()[0]).toBeCloseTo(expected, 6);
    expect(crossEntropy(logits, tf.tensor1d([1, 0, 0], 'int32')).dataSync()[0]).toBeCloseTo(expected, 6);
  });

  test('balanced weights make classes count alike', () => {
    expect(balancedClassWeights([0, 0, 0, 1], 2)).toEqual([4 / 6, 2]);
    expect(balancedClassWeights([0, 0, 2], 3)).toEqual([0.5, 0, 1]);
  });

  test('wrong shapes, labels and weights are refused', () => {
    const code = (wrong: string) => expect.objectContaining({ code: wrong });
    const rows = tf.ones([2, 3]);
    expect(() => crossEntropy(tf.ones([2, 1]), [0, 0])).toThrow(code('SHAPE'));
    expect(() => crossEntropy(tf.ones([2, 3, 1]), [0, 0])).toThrow(code('SHAPE'));
    expect(() => crossEntropy(rows, [0])).toThrow(code('SHAPE'));
    expect(() => crossEntropy(rows, [0, 3])).toThrow(code('LABELS'));
    expect(() => crossEntropy(rows, [0, -1])).toThrow(code('LABELS'));
    expect(() => crossEntropy(rows, [0, 1], { classWeights: [1, 2] })).toThrow(code('OPTIONS'));
    expect(() => crossEntropy(rows, [0, 1], { classWeights: [1, 2, Number.NaN] })).toThrow(code('OPTIONS'));
    expect(() => balancedClassWeights([0, 2], 2)).toThrow(code('LABELS'));
    expect(() => balancedClassWeights([0], 1)).toThrow(code('OPTIONS'));
  });
});
