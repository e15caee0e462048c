import { RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { attend } from './attend.js';
import { attention } from './attention.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { type Linear, linear } from './linear.js';
import { keptMask } from './lora.js';
import { residual } from './residual.js';
import { rotaryAngles, rotate } from './rotary.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

/** The largest difference between d sum(f(x) w) / dx as f writes it out and as tfjs derives it from the plain formula. */
function gradientDifference(
  written: (x: tf.Tensor) => tf.Tensor,
  plain: (x: tf.Tensor) => tf.Tensor,
): number {
  const before = tf.memory().numTensors;
  const difference = tf.tidy(() => {
    const x = tf.mul(tf.reshape(tf.sin(tf.range(0, 40)), [5, 8]), 3);
    const w = tf.reshape(tf.cos(tf.range(0, 40)), [5, 8]);
    const gradientOf = (f: (x: tf.Tensor) => tf.Tensor) => tf.grad((x) => tf.sum(tf.mul(f(x), w)))(x);
    return tf.max(tf.abs(tf.sub(gradientOf(written), gradientOf(plain)))).dataSync()[0]!;
  });
  expect(tf.memory().numTensors).toBe(before);
  return difference;
}

test('gelu: 0.5 x (1 + erf(x / sqrt 2)) and its derivative', () => {
  const plain = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  expect(gradientDifference(gelu, plain)).toBeLessThan(2e-6); // float32; tfjs's erf is good to 1.5e-7
  const values = tf.tidy(() => gelu(tf.tensor1d([-2, -0.5, 0, 1, 3])).arraySync());
  const expected = [-0.0455002639, -0.1542687694, 0, 0.8413447461, 2.9959503059]; // x Phi(x) by scipy
  values.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 6);
  });
});

test('layerNorm and its derivative', () => {
  tf.tidy(() => {
    const weight = tf.linspace(0.5, 2, 8);
    const bias = tf.linspace(-1, 1, 8);
    const plain = (x: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.01))), weight), bias);
    };
    const written = (x: tf.Tensor) => layerNorm(x, { weight, bias, epsilon: 0.01 });
    expect(gradientDifference(written, plain)).toBeLessThan(2e-6);
    const x = tf.reshape(tf.sin(tf.range(0, 16)), [2, 8]);
    expect(tf.max(tf.abs(tf.sub(written(x), plain(x)))).dataSync()[0]).toBeLessThan(1e-6);
  });
});

type Function = (...inputs: tf.Tensor[]) => tf.Tensor;

const waves = (shape: number[], step: number) =>
  tf.reshape(tf.sin(tf.range(0, shape.reduce((a, b) => a * b) * step, step)), shape);

/** The same for functions of several tensors: the largest difference of the outputs and of any derivative. */
function largestDifference(written: Function, plain: Function, inputs: tf.Tensor[]): number {
  const before = tf.memory().numTensors;
  const difference = tf.tidy(() => {
    const both = [written, plain].map((f) => {
      const w = tf.cos(tf.reshape(tf.range(0, f(...inputs).size), f(...inputs).shape));
      return [f(...inputs), ...tf.grads((...given) => tf.sum(tf.mul(f(...given), w)))(inputs)];
    });
    const differences = both[0]!.map((tensor, at) => tf.max(tf.abs(tf.sub(tensor, both[1]![at]!))));
    return Math.max(...differences.map((each) => each.dataSync()[0]!));
  });
  expect(tf.memory().numTensors).toBe(before);
  return difference;
}

// Two images, two heads of 4 channels, 2 of 5 tokens asking; float32 on values up to 3, measured 4e-7
test.each([false, true])('attend and its derivatives, rotary positions: %s', (withRotary) => {
  tf.tidy(() => {
    const rotary = withRotary ? rotaryAngles(2, 2, 1, 4, 100) : undefined;
    const turned = (x: tf.Tensor4D) => (rotary ? rotate(x, rotary, 1) : x);
    const heads = (x: tf.Tensor): tf.Tensor4D =>
      tf.transpose(tf.reshape(x, [2, -1, 2, 4]), [0, 2, 1, 3]) as tf.Tensor4D;
    const plain: Function = (q, k, v) => {
      const scores = tf.mul(tf.matMul(turned(heads(q!)), turned(heads(k!)), false, true), 0.5);
      return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), heads(v!)), [0, 2, 1, 3]), [4, 8]);
    };
    const written: Function = (q, k, v) =>
      attend(q as tf.Tensor2D, k as tf.Tensor2D, v as tf.Tensor2D, { batch: 2, heads: 2, rotary });
    const inputs = [waves([4, 8], 1.7), tf.mul(waves([10, 8], 0.9), 3), waves([10, 8], 0.3)];
    expect(largestDifference(written, plain, inputs)).toBeLessThan(2e-6);
  });
});

test('linear with a LoRA, and its derivatives with respect to input, A and B', () => {
  tf.tidy(() => {
    const [weight, bias] = [waves([6, 8], 0.7) as tf.Tensor2D, waves([6], 2) as tf.Tensor1D];
    const plain: Function = (x, a, b) =>
      tf.add(
        tf.add(tf.matMul(x!, weight, false, true), bias),
        tf.mul(tf.matMul(tf.matMul(x!, a!, false, true), b!, false, true), 2.5),
      );
    const written: Function = (x, a, b) => {
      const lora = { a, b, scaling: 2.5, dropout: 0.1 } as unknown as NonNullable<
        Parameters<typeof linear>[1]['lora']
      >;
      return linear(x as tf.Tensor2D, { name: 'test', weight, bias, lora }, {});
    };
    const inputs = [waves([5, 8], 1.1), waves([2, 8], 0.4), waves([6, 2], 0.6)];
    expect(largestDifference(written, plain, inputs)).toBeLessThan(1e-5); // sums of up to 40
  });
});

/** What a stream of this seed drops of [rows, in], as peft's dropout has it: 0, or 1 / (1 - p). */
const dropped = (shape: [number, number], p: number, seed: number) =>
  tf.div(tf.cast(keptMask(shape, p, new RandomStream(seed, 'dropout')), 'float32'), 1 - p);

test.each([false, true])('linear with a LoRA whose input is dropped; constant input: %s', (constantInput) => {
  tf.tidy(() => {
    const [weight, bias] = [waves([6, 8], 0.7) as tf.Tensor2D, waves([6], 2) as tf.Tensor1D];
    const x = waves([5, 8], 1.1) as tf.Tensor2D;
    const mask = dropped([5, 8], 0.4, 9);
    const plain = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor) =>
      tf.add(
        tf.add(tf.matMul(x, weight, false, true), bias),
        tf.mul(tf.matMul(tf.matMul(tf.mul(x, mask), a, false, true), b, false, true), 2.5),
      );
    const written = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => {
      const lora = { a, b, scaling: 2.5, dropout: 0.4 } as unknown as NonNullable<
        Parameters<typeof linear>[1]['lora']
      >;
      const dropout = new RandomStream(9, 'dropout');
      return linear(x as tf.Tensor2D, { name: 'test', weight, bias, lora }, { dropout, constantInput });
    };
    const loras = [waves([2, 8], 0.4), waves([6, 2], 0.6)];
    const difference = constantInput
      ? largestDifference(
          (a, b) => written(x, a!, b!),
          (a, b) => plain(x, a!, b!),
          loras,
        )
      : largestDifference(
          (x, a, b) => written(x!, a!, b!),
          (x, a, b) => plain(x!, a!, b!),
          [x, ...loras],
        );
    expect(difference).toBeLessThan(1e-5); // sums of up to 40
  });
});

// One query an image, 3 tokens, two heads of 4 channels
test('attention for the class token alone, key and value with LoRAs whose inputs are dropped', () => {
  tf.tidy(() => {
    const layer = (name: string, step: number, lora?: object) =>
      ({
        name,
        weight: waves([8, 8], step),
        bias: waves([8], step + 1),
        ...(lora && { lora }),
      }) as unknown as Linear;
    const loraOf = (a: tf.Tensor, b: tf.Tensor) => ({ a, b, scaling: 1.5, dropout: 0.3 });
    const [query, output] = [layer('query', 0.3), layer('output', 0.5)];
    const run =
      (attending: typeof attention) =>
      (x: tf.Tensor, ka: tf.Tensor, kb: tf.Tensor, va: tf.Tensor, vb: tf.Tensor) =>
        attending(
          x as tf.Tensor3D,
          tf.slice(x as tf.Tensor3D, [0, 0, 0], [2, 1, 8]),
          {
            query,
            key: layer('key', 0.7, loraOf(ka, kb)),
            value: layer('value', 0.9, loraOf(va, vb)),
            output,
            heads: 2,
          },
          { dropout: new RandomStream(4, 'dropout') },
        );
    const plain: typeof attention = (x, asking, { query, key, value, output }) => {
      const stream = new RandomStream(4, 'dropout');
      const rows = tf.reshape(x, [6, 8]) as tf.Tensor2D;
      const affineOf = (rows: tf.Tensor, { weight, bias }: Linear) =>
        tf.add(tf.matMul(rows as tf.Tensor2D, weight, false, true), bias!);
      const adapted = (layer: Linear) => {
        const { a, b } = layer.lora!;
        const kept = tf.mul(
          rows,
          tf.div(tf.cast(keptMask([6, 8], 0.3, stream), 'float32'), 0.7),
        ) as tf.Tensor2D;
        return tf.add(
          affineOf(rows, layer),
          tf.mul(tf.matMul(tf.matMul(kept, a, false, true), b, false, true), 1.5),
        );
      };
      const heads = (rows: tf.Tensor) => tf.transpose(tf.reshape(rows, [2, -1, 2, 4]), [0, 2, 1, 3]);
      const [q, k, v] = [
        heads(affineOf(tf.reshape(asking, [2, 8]), query)),
        heads(adapted(key)),
        heads(adapted(value)),
      ];
      const mixed = tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 0.5)), v); // [2, 2, 1, 4]
      return affineOf(tf.reshape(mixed, [2, 8]), output) as tf.Tensor2D;
    };
    const inputs = [
      waves([2, 3, 8], 1.3),
      waves([2, 8], 0.4),
      waves([8, 2], 0.6),
      waves([2, 8], 0.8),
      waves([8, 2], 1),
    ];
    const difference = largestDifference(run(attention) as Function, run(plain) as Function, inputs);
    expect(difference).toBeLessThan(1e-5);
  });
});

test('residual with a factor, and its derivatives', () => {
  tf.tidy(() => {
    const factor = waves([8], 0.8) as tf.Tensor1D;
    const plain: Function = (x, change) => tf.add(x!, tf.mul(change!, factor));
    const written: Function = (x, change) => residual(x as tf.Tensor2D, change as tf.Tensor2D, factor);
    expect(largestDifference(written, plain, [waves([3, 8], 1), waves([3, 8], 2)])).toBeLessThan(1e-6);
  });
});
