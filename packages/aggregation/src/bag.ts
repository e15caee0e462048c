import * as tf from '@tensorflow/tfjs-core';
import type { BagResult, BatchResult, ForwardOptions } from './aggregation.js';
import { AggregationError } from './aggregation-error.js';

/** A batch of bags in the one form that every pooling computes with. */
interface Bags {
  /** [B, S, E], padding set to 0. */
  slices: tf.Tensor3D;
  /** [B, S] of 0 and 1, or undefined where every slice is real. */
  mask: tf.Tensor2D | undefined;
}

/**
 * Runs `pool` on [S, E] or [B, S, E] inside a tidy: checks the shapes, sets padding to 0 (so that even a NaN in it
 * cannot spread), and takes the batch dimension off again where the caller gave none.
 */
export function poolBags(
  slices: tf.Tensor,
  { mask }: ForwardOptions,
  inputSize: number | undefined,
  pool: (bags: Bags) => BatchResult,
): BagResult | BatchResult {
  const [size] = slices.shape.slice(-1);
  if ((slices.rank !== 2 && slices.rank !== 3) || slices.size === 0 || (inputSize ?? size) !== size) {
    throw new AggregationError({
      code: 'SHAPE',
      message:
        `Slice embeddings have shape [${slices.shape}]; expected [S, ${inputSize ?? 'E'}] or ` +
        `[B, S, ${inputSize ?? 'E'}] with at least one slice.`,
    });
  }
  const single = slices.rank === 2;
  if (
    mask &&
    (single || mask.rank !== 2 || mask.shape.some((length, axis) => length !== slices.shape[axis]))
  ) {
    throw new AggregationError({
      code: 'SHAPE',
      message: `The mask has shape [${mask.shape}] for slices [${slices.shape}]; expected [B, S] of a [B, S, E] input.`,
    });
  }
  const result = tf.tidy(() => {
    const batched = (single ? tf.expandDims(slices, 0) : slices) as tf.Tensor3D;
    if (!mask) return { ...pool({ slices: batched, mask: undefined }) };
    const real = tf.cast(mask, 'bool'); // [B, S]
    const kept = tf.where(tf.expandDims(real, 2), batched, tf.zerosLike(batched)); // [B, S, E]
    return { ...pool({ slices: kept, mask: tf.cast(real, 'float32') as tf.Tensor2D }) };
  }) as unknown as BatchResult;
  if (!single) return result;
  const bag = {
    embedding: tf.squeeze(result.embedding, [0]) as tf.Tensor1D,
    attention: tf.squeeze(result.attention, [0]) as tf.Tensor1D,
  };
  tf.dispose([result.embedding, result.attention]);
  return bag;
}

/** [B, S] weights that average over real slices: mask / number of real slices (0 for a bag that has none). */
export function uniformAttention(batch: number, count: number, mask: tf.Tensor2D | undefined): tf.Tensor2D {
  if (!mask) return tf.fill([batch, count], 1 / count) as tf.Tensor2D;
  return tf.div(mask, tf.maximum(tf.sum(mask, 1, true), 1));
}

/** Softmax over the last axis that gives padding exactly 0. `scores` and `mask` broadcast against each other. */
export function maskedSoftmax<T extends tf.Tensor>(scores: T, mask: tf.Tensor | undefined): T {
  if (!mask) return tf.softmax(scores);
  const blocked = tf.add(scores, tf.mul(tf.sub(mask, 1), 1e9)) as T;
  return tf.mul(tf.softmax(blocked), mask);
}

/** Weighted sum of rows: attention [B, S] and rows [B, S, D] to [B, D]. */
export function weightedSum(attention: tf.Tensor2D, rows: tf.Tensor3D): tf.Tensor2D {
  return tf.squeeze(tf.matMul(tf.expandDims(attention, 1) as tf.Tensor3D, rows), [1]);
}
