import * as tf from '@tensorflow/tfjs-core';
import type { Aggregation, BatchResult } from './aggregation.js';
import { AggregationError } from './aggregation-error.js';
import { poolBags, uniformAttention, weightedSum } from './bag.js';

/** Options of {@link meanPool} and {@link maxPool}. */
export interface PoolOptions {
  /** E. Needed only where `outputSize` is read before the first `forward`. */
  inputSize?: number;
}

/**
 * Mean over slices [E]; attention is uniform.
 *
 * @throws AggregationError `SHAPE` from `forward`, `SIZE_UNKNOWN` from `outputSize`.
 * @example
 * const { embedding } = meanPool().forward(slices); // slices [S, E] -> [E]
 */
export function meanPool(options: PoolOptions = {}): Aggregation {
  return plainPool('meanPool', options, (bags, mask) => {
    const attention = uniformAttention(bags.shape[0], bags.shape[1], mask);
    return { embedding: weightedSum(attention, bags), attention };
  });
}

/**
 * Maximum over slices of each dimension [E]; the attention of a slice is the share of dimensions whose maximum it holds.
 * Of several equal slices the first holds it and gets the gradient, as in torch's `max(dim)`; attention is a constant.
 *
 * @throws AggregationError `SHAPE` from `forward`, `SIZE_UNKNOWN` from `outputSize`.
 * @example
 * const { embedding } = maxPool().forward(slices); // slices [S, E] -> [E]
 */
export function maxPool(options: PoolOptions = {}): Aggregation {
  return plainPool('maxPool', options, (bags, mask) => {
    const winner = winners(bags, mask); // [B, S, E]
    return {
      embedding: tf.sum(tf.mul(bags, winner), 1) as tf.Tensor2D, // [B, E]
      attention: tf.mean(winner, 2) as tf.Tensor2D, // [B, S]
    };
  });
}

/** 1 where a slice holds the maximum of a dimension, [B, S, E]; 0 in padding. A constant: no gradient flows through it. */
function winners(bags: tf.Tensor3D, mask: tf.Tensor2D | undefined): tf.Tensor3D {
  const choose = tf.customGrad((given: tf.Tensor | tf.GradSaveFunc) => {
    const slices = given as tf.Tensor3D;
    const real = mask && tf.expandDims(mask, 2); // [B, S, 1]
    const open = real ? tf.add(slices, tf.mul(tf.sub(real, 1), 1e30)) : slices;
    const places = tf.reshape(tf.range(0, slices.shape[1], 1, 'int32'), [1, -1, 1]); // [1, S, 1]
    // Not tf.oneHot, which refuses a depth of 1.
    const first = tf.cast(tf.equal(tf.expandDims(tf.argMax(open, 1), 1), places), 'float32'); // [B, S, E]
    return { value: real ? tf.mul(first, real) : first, gradFunc: () => tf.zeros(slices.shape) };
  });
  return choose(bags) as tf.Tensor3D;
}

function plainPool(
  name: string,
  { inputSize }: PoolOptions,
  pool: (bags: tf.Tensor3D, mask: tf.Tensor2D | undefined) => BatchResult,
): Aggregation {
  let size = inputSize;
  return {
    get outputSize() {
      if (size !== undefined) return size;
      throw new AggregationError({
        code: 'SIZE_UNKNOWN',
        message: `The output size is not known before the first forward; give it: ${name}({ inputSize }).`,
      });
    },
    random: undefined,
    forward: ((slices, options = {}) => {
      const result = poolBags(slices, options, size, ({ slices: bags, mask }) => pool(bags, mask));
      size = slices.shape.at(-1)!;
      return result;
    }) as Aggregation['forward'],
    variables: () => [],
    namedVariables: () => ({}),
    dispose: () => undefined,
  };
}
