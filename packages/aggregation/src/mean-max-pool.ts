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
 * Maximum over slices of each dimension [E]; the attention of a slice is the share of dimensions whose maximum it holds
 * (the first slice of several equal ones).
 *
 * @throws AggregationError `SHAPE` from `forward`, `SIZE_UNKNOWN` from `outputSize`.
 * @example
 * const { embedding } = maxPool().forward(slices); // slices [S, E] -> [E]
 */
export function maxPool(options: PoolOptions = {}): Aggregation {
  return plainPool('maxPool', options, (bags, mask) => {
    const floor = mask && tf.mul(tf.sub(tf.expandDims(mask, 2), 1), 1e30); // [B, S, 1]
    const open = (floor ? tf.add(bags, floor) : bags) as tf.Tensor3D;
    // Not tf.oneHot, which refuses a depth of 1.
    const winner = tf.equal(tf.expandDims(tf.argMax(open, 1), 2), tf.range(0, bags.shape[1], 1, 'int32')); // [B, E, S]
    const attention = tf.mean(tf.cast(winner, 'float32'), 1) as tf.Tensor2D; // [B, S]
    const embedding = tf.max(open, 1) as tf.Tensor2D; // [B, E]
    if (!mask) return { embedding, attention };
    return { embedding: tf.mul(embedding, tf.max(mask, 1, true)), attention: tf.mul(attention, mask) };
  });
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
