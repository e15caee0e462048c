import { readFileSync } from 'node:fs';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Aggregation,
  AggregationError,
  attention,
  contextualAttention,
  gatedAttention,
  type InitialWeights,
  maxPool,
  meanPool,
  transformerPool,
} from './index.js';

interface Golden {
  slices: number[][];
  mixAttention: number[];
  cases: Record<string, GoldenCase>;
}
interface GoldenCase {
  weights: InitialWeights;
  mixEmbedding: number[];
  embedding: number[];
  attention: number[];
  slicesGradient: number[][];
  weightGradients: Record<string, number[] | number[][]>;
}

const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/torch.json', import.meta.url), 'utf8'),
) as Golden;
const size = { inputSize: 6 };
const transformer = { ...size, hiddenSize: 8, heads: 2, layers: 2, feedForwardSize: 10 };
const learned: Record<string, (weights?: InitialWeights) => Aggregation> = {
  contextualSqrtE: (weights) => contextualAttention({ ...size, hiddenSize: 3, ...(weights && { weights }) }),
  contextualSqrtD: (weights) =>
    contextualAttention({ ...size, hiddenSize: 3, scale: 'sqrtD', ...(weights && { weights }) }),
  gated: (weights) => gatedAttention({ ...size, hiddenSize: 4, ...(weights && { weights }) }),
  attention: (weights) => attention({ ...size, hiddenSize: 4, ...(weights && { weights }) }),
  transformer: (weights) => transformerPool({ ...transformer, ...(weights && { weights }) }),
};
/** Those that learn nothing, and one that knows the order of slices. */
const further: Record<string, (weights?: InitialWeights) => Aggregation> = {
  transformerPositions: (weights) =>
    transformerPool({ ...transformer, positions: 'sinusoidal', ...(weights && { weights }) }),
  mean: () => meanPool(size),
  max: () => maxPool(size),
};
const every: [string, () => Aggregation][] = [
  ...Object.entries(learned).map(([name, make]): [string, () => Aggregation] => [name, () => make()]),
  ['meanPool', meanPool],
  ['maxPool', maxPool],
];

/** float32 against float64. */
function expectClose(
  found: tf.Tensor,
  expected: readonly number[] | readonly number[][],
  tolerance: number,
): void {
  const values = expected.flat();
  expect(found.size).toBe(values.length);
  found.dataSync().forEach((value, index) => {
    expect(Math.abs(value - values[index]!)).toBeLessThan(tolerance);
  });
}

let tensors = 0;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
  tf.engine().startScope(); // takes the tensors of the test itself; what a forward leaves behind is tested on its own
});
afterEach(() => {
  tf.engine().endScope();
  expect(tf.memory().numTensors).toBe(tensors);
});

describe('published values', () => {
  const slices = [
    [0.1, 0.4, -0.2, 0.3],
    [0.5, -0.1, 0.2, 0],
    [-0.3, 0.2, 0.6, -0.4],
  ];

  test('gated attention', () => {
    const pool = gatedAttention({
      inputSize: 4,
      hiddenSize: 2,
      weights: {
        'value.weight': [
          [0.2, -0.1, 0.3, 0.05],
          [-0.4, 0.1, 0.2, 0.3],
        ],
        'value.bias': [0, 0],
        'gate.weight': [
          [0.1, 0.1, -0.2, 0.4],
          [0.3, -0.3, 0.1, 0.2],
        ],
        'gate.bias': [0, 0],
        'score.weight': [[0.7, -0.5]],
      },
    });
    const { embedding, attention: weight } = pool.forward(tf.tensor2d(slices));
    expectClose(weight, [0.3141740569, 0.3622894321, 0.3235365111], 1e-6);
    expectClose(embedding, [0.1155011684, 0.1541479818, 0.2037449817, -0.0351623874], 1e-6);
    pool.dispose();
  });

  test('contextual attention divides by sqrt(E)', () => {
    const zero = [0, 0];
    const pool = contextualAttention({
      inputSize: 4,
      hiddenSize: 2,
      weights: {
        'query.weight': [
          [1, 0, 0, 0],
          [0, 1, 0, 0],
        ],
        'query.bias': zero,
        'key.weight': [
          [0, 1, 0, 0],
          [0, 0, 1, 0],
        ],
        'key.bias': zero,
        'value.weight': [
          [0, 0, 1, 0],
          [0, 0, 0, 1],
        ],
        'value.bias': zero,
      },
    });
    const { embedding, attention: weight } = pool.forward(tf.tensor2d(slices));
    expectClose(embedding, [-0.0039921273, -0.3171237469], 2e-6); // LayerNorm in float32 loses a digit
    expectClose(weight, [0.3612599964, 0.3014580192, 0.3372819844], 1e-6);
    pool.dispose();
  });
});

describe.each(Object.keys({ ...learned, ...further }))('%s against torch', (name) => {
  const make = { ...learned, ...further }[name]!;
  const expected = golden.cases[name]!;

  test('forward', () => {
    const pool = make(expected.weights);
    const { embedding, attention: weight } = pool.forward(tf.tensor2d(golden.slices));
    expectClose(embedding, expected.embedding, 1e-5);
    expectClose(weight, expected.attention, 1e-6);
    expect(pool.outputSize).toBe(expected.embedding.length);
    pool.dispose();
  });

  test('gradients', () => {
    const pool = make(expected.weights);
    const mixed = (slices: tf.Tensor) => {
      const { embedding, attention: weight } = pool.forward(slices as tf.Tensor2D);
      const toward = tf.sum(tf.mul(embedding, tf.tensor1d(expected.mixEmbedding)));
      return tf.add(toward, tf.sum(tf.mul(weight, tf.tensor1d(golden.mixAttention)))) as tf.Scalar;
    };
    const slices = tf.tensor2d(golden.slices);
    expectClose(tf.grad(mixed)(slices), expected.slicesGradient, 1e-4);
    // tf.variableGrads refuses an empty list; mean and max have no variables.
    const { grads } =
      pool.variables().length > 0
        ? tf.variableGrads(() => mixed(slices), pool.variables())
        : { grads: {} as tf.NamedTensorMap };
    for (const [key, variable] of Object.entries(pool.namedVariables())) {
      expectClose(grads[variable.name]!, expected.weightGradients[key]!, 1e-4);
    }
    expect(Object.keys(pool.namedVariables()).sort()).toEqual(Object.keys(expected.weightGradients).sort());
    pool.dispose();
  });
});

describe.each(every)('%s', (_name, make) => {
  test('a padded batch equals its bags one by one, whatever the padding holds', () => {
    const pool = make();
    const long = tf.randomNormal([5, 6], 0, 1, 'float32', 1) as tf.Tensor2D;
    const short = tf.randomNormal([2, 6], 0, 1, 'float32', 2) as tf.Tensor2D;
    const padded = tf.concat([short, tf.fill([3, 6], Number.NaN)], 0);
    const mask = tf.tensor2d([
      [1, 1, 1, 1, 1],
      [1, 1, 0, 0, 0],
    ]);
    const batch = pool.forward(tf.stack([long, padded]) as tf.Tensor3D, { mask });
    [long, short].forEach((bag, index) => {
      const single = pool.forward(bag);
      const row = tf.gather(batch.embedding, index);
      const weight = tf.slice(tf.gather(batch.attention, index), 0, bag.shape[0]);
      expectClose(row, [...single.embedding.dataSync()], 1e-6);
      expectClose(weight, [...single.attention.dataSync()], 1e-6);
    });
    expect([...batch.attention.dataSync().slice(7)]).toEqual([0, 0, 0]);
    pool.dispose();
  });

  test('gradients of a padded batch are those of its bags one by one, and none reaches the padding', () => {
    const pool = make();
    const long = tf.randomNormal([5, 6], 0, 1, 'float32', 11) as tf.Tensor2D;
    const short = tf.randomNormal([2, 6], 0, 1, 'float32', 12) as tf.Tensor2D;
    const padded = tf.concat([short, tf.fill([3, 6], Number.NaN)], 0);
    const mask = tf.tensor2d([
      [1, 1, 1, 1, 1],
      [1, 1, 0, 0, 0],
    ]);
    const mix = tf.randomNormal([1, pool.forward(long).embedding.size], 0, 1, 'float32', 13);
    const mixed = (embedding: tf.Tensor, attended: tf.Tensor) =>
      tf.add(tf.sum(tf.mul(embedding, mix)), tf.sum(tf.square(attended))) as tf.Scalar;
    const ofBatch = (slices: tf.Tensor) => {
      const result = pool.forward(slices as tf.Tensor3D, { mask });
      return mixed(result.embedding, result.attention);
    };
    const ofBag = (slices: tf.Tensor) => {
      const result = pool.forward(slices as tf.Tensor2D);
      return mixed(result.embedding, result.attention);
    };
    const batch = tf.stack([long, padded]);
    const found = tf.grad(ofBatch)(batch);
    expectClose(tf.slice(found, [0, 0, 0], [1, 5, 6]), [...tf.grad(ofBag)(long).dataSync()], 2e-6);
    expectClose(tf.slice(found, [1, 0, 0], [1, 2, 6]), [...tf.grad(ofBag)(short).dataSync()], 2e-6);
    expect([...tf.slice(found, [1, 2, 0], [1, 3, 6]).dataSync()].every((value) => value === 0)).toBe(true);
    const variables = pool.variables();
    if (variables.length > 0) {
      const together = tf.variableGrads(() => ofBatch(batch), variables).grads;
      const apart = [long, short].map((bag) => tf.variableGrads(() => ofBag(bag), variables).grads);
      for (const { name } of variables) {
        const sum = tf.add(apart[0]![name]!, apart[1]![name]!);
        expectClose(together[name]!, [...sum.dataSync()], 5e-6);
      }
    }
    pool.dispose();
  });

  test('a bag of padding only gives zeros', () => {
    const pool = make();
    const { embedding, attention: weight } = pool.forward(tf.ones([1, 3, 6]) as tf.Tensor3D, {
      mask: tf.zeros([1, 3]),
    });
    expectClose(embedding, Array(embedding.size).fill(0), 1e-12);
    expectClose(weight, [0, 0, 0], 1e-12);
    pool.dispose();
  });

  test('the order of slices moves the attention and not the embedding', () => {
    const pool = make();
    const slices = tf.randomNormal([4, 6], 0, 1, 'float32', 3) as tf.Tensor2D;
    const order = [2, 0, 3, 1];
    const before = pool.forward(slices);
    const after = pool.forward(tf.gather(slices, order));
    expectClose(after.embedding, [...before.embedding.dataSync()], 1e-6);
    expectClose(
      after.attention,
      order.map((slice) => before.attention.dataSync()[slice]!),
      1e-6,
    );
    pool.dispose();
  });

  test('attention sums to 1, and a single slice gets all of it', () => {
    const pool = make();
    const many = pool.forward(tf.randomNormal([7, 6], 0, 3, 'float32', 4) as tf.Tensor2D);
    expectClose(tf.sum(many.attention), [1], 1e-6);
    expectClose(
      pool.forward(tf.randomNormal([1, 6], 0, 1, 'float32', 5) as tf.Tensor2D).attention,
      [1],
      1e-6,
    );
    pool.dispose();
  });

  test('a forward leaves only its result', () => {
    const pool = make();
    const slices = tf.ones([4, 6]) as tf.Tensor2D;
    const before = tf.memory().numTensors;
    const result = pool.forward(slices, { training: true });
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose([result.embedding, result.attention]);
    pool.dispose();
  });

  test('wrong shapes are refused', () => {
    const pool = make();
    const shape = expect.objectContaining({ code: 'SHAPE' });
    expect(() => pool.forward(tf.ones([6]) as tf.Tensor)).toThrow(shape);
    expect(() => pool.forward(tf.ones([0, 6]) as tf.Tensor)).toThrow(shape);
    expect(() => pool.forward(tf.ones([3, 6]) as tf.Tensor, { mask: tf.ones([3]) })).toThrow(shape);
    expect(() => pool.forward(tf.ones([2, 3, 6]) as tf.Tensor, { mask: tf.ones([2, 4]) })).toThrow(shape);
    pool.dispose();
  });
});

test('maxPool: of equal slices the first gets the gradient, once', () => {
  const slices = tf.tensor2d([
    [1, 2],
    [1, 0],
    [1, 2],
  ]);
  const gradient = tf.grad((given: tf.Tensor) => tf.sum(maxPool().forward(given as tf.Tensor2D).embedding))(
    slices,
  );
  expectClose(gradient, [1, 1, 0, 0, 0, 0], 1e-12);
});

describe('transformerPool', () => {
  test('with positions the order of slices counts', () => {
    const pool = transformerPool({ ...transformer, positions: 'sinusoidal' });
    const slices = tf.randomNormal([4, 6], 0, 1, 'float32', 3) as tf.Tensor2D;
    const before = pool.forward(slices).embedding.dataSync();
    const after = pool.forward(tf.gather(slices, [2, 0, 3, 1])).embedding.dataSync();
    expect(Math.max(...before.map((value, index) => Math.abs(value - after[index]!)))).toBeGreaterThan(1e-3);
    pool.dispose();
  });

  test('attention sums to 1 in training too, and dropout draws from the stream', () => {
    const pool = transformerPool({ ...transformer, dropout: 0.5 });
    const slices = tf.randomNormal([9, 6], 0, 1, 'float32', 3) as tf.Tensor2D;
    const state = pool.random!.state();
    const first = pool.forward(slices, { training: true });
    expectClose(tf.sum(first.attention), [1], 1e-6);
    const second = pool.forward(slices, { training: true });
    expect(second.embedding.dataSync()).not.toEqual(first.embedding.dataSync());
    pool.random!.restore(state);
    expect(pool.forward(slices, { training: true }).embedding.dataSync()).toEqual(first.embedding.dataSync());
    pool.dispose();
  });

  test('the width defaults to half the input, rounded up to a multiple of the heads', () => {
    const pool = transformerPool({ inputSize: 18, layers: 1 });
    expect(pool.outputSize).toBe(12);
    expect(pool.forward(tf.ones([3, 18]) as tf.Tensor2D).embedding.shape).toEqual([12]);
    pool.dispose();
  });

  test('wrong options are refused', () => {
    const options = expect.objectContaining({ code: 'OPTIONS' });
    expect(() => transformerPool({ inputSize: 6, hiddenSize: 6, heads: 4 })).toThrow(options);
    expect(() => transformerPool({ inputSize: 6, layers: 0 })).toThrow(options);
    expect(() => transformerPool({ inputSize: 6, positions: 'learned' as 'none' })).toThrow(options);
  });
});

describe('starting values', () => {
  test('the same seed gives the same weights, another one others', () => {
    const values = (seed: number) => {
      const pool = contextualAttention({ inputSize: 8, seed });
      const [, , query] = pool.variables().map((variable) => [...variable.dataSync()]);
      pool.dispose();
      return query!;
    };
    expect(values(1)).toEqual(values(1));
    expect(values(1)).not.toEqual(values(2));
    expect(Math.max(...values(1).map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(8));
  });

  test('given weights replace only their own variable', () => {
    const drawn = gatedAttention({ inputSize: 3, hiddenSize: 2 });
    const given = gatedAttention({ inputSize: 3, hiddenSize: 2, weights: { 'value.bias': [7, 8] } });
    const values = (pool: Aggregation, name: string) => [...pool.namedVariables()[name]!.dataSync()];
    expect(values(given, 'value.bias')).toEqual([7, 8]);
    expect(values(given, 'score.weight')).toEqual(values(drawn, 'score.weight'));
    drawn.dispose();
    given.dispose();
  });

  test('wrong options and weights are refused', () => {
    const code = (wrong: string) => expect.objectContaining({ code: wrong });
    expect(() => gatedAttention({ inputSize: 0 })).toThrow(code('OPTIONS'));
    expect(() => contextualAttention({ inputSize: 4, dropout: 1 })).toThrow(code('OPTIONS'));
    expect(() => attention({ inputSize: 4, weights: { 'gate.bias': [1] } })).toThrow(code('WEIGHTS'));
    expect(() => attention({ inputSize: 4, weights: { 'value.bias': [1] } })).toThrow(code('WEIGHTS'));
    expect(() => meanPool().outputSize).toThrow(code('SIZE_UNKNOWN'));
    expect(meanPool({ inputSize: 9 }).outputSize).toBe(9);
    expect(AggregationError.isInstance(new AggregationError({ code: 'SHAPE', message: '' }))).toBe(true);
    expect(AggregationError.isInstance(new Error('other'))).toBe(false);
  });
});

describe('dropout', () => {
  test('acts only in training, keeps the mean, and goes on from a restored state', () => {
    const pool = contextualAttention({ inputSize: 6, dropout: 0.25 });
    const slices = tf.randomNormal([40, 6], 0, 1, 'float32', 6) as tf.Tensor2D;
    const plain = pool.forward(slices).attention.dataSync();
    expect(pool.forward(slices).attention.dataSync()).toEqual(plain);
    const state = pool.random!.state();
    const first = pool.forward(slices, { training: true }).attention.dataSync();
    const second = pool.forward(slices, { training: true }).attention.dataSync();
    expect(second).not.toEqual(first);
    pool.random!.restore(state);
    expect(pool.forward(slices, { training: true }).attention.dataSync()).toEqual(first);
    const total = Array.from(first).reduce((sum, value) => sum + value, 0);
    // 1600 entries, each kept with probability 0.75: the sum of the column means is 1 +- 0.015 (one standard deviation).
    expect(total).toBeGreaterThan(0.93);
    expect(total).toBeLessThan(1.07);
    pool.dispose();
  });
});
