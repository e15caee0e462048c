import * as tf from '@tensorflow/tfjs-core';
import { type Labels, labelTensor } from './labels.js';
import { LossError } from './loss-error.js';

/**
 * Earlier embeddings as further constant keys (cross-batch memory, Wang et al. 2020): never anchors, no gradient. The
 * batch itself is always a key, with its gradient, and so need not be in here.
 */
export interface EmbeddingMemory {
  /** [M, D] */
  embeddings: tf.Tensor;
  /** [M] */
  labels: Labels;
  /** [M] Whom each is of, as {@link PairOptions.items}. */
  items?: Labels;
}

/** Options that every loss over pairs has. */
export interface PairOptions {
  /**
   * [B] Whom each embedding is of (any whole numbers, for example the patient's place in the cohort): another embedding
   * of the same one is then neither positive nor negative for it. Without, an earlier embedding of a patient in the
   * memory is that patient's easiest positive. Counts among the memory's embeddings only where it has `items` too.
   */
  items?: Labels;
  /** Earlier embeddings as further keys. */
  memory?: EmbeddingMemory;
}

/** Every anchor of the batch against every key: the batch itself, then the memory. All [B, K], K = B + M. */
export interface Pairs {
  /** Cosine similarity. */
  similarity: tf.Tensor2D;
  /** 1 where the key is another item of the anchor's class. */
  positive: tf.Tensor2D;
  /** 1 where the key is of another class. */
  negative: tf.Tensor2D;
}

/** Runs `loss` on the anchors' pairs inside a tidy and averages its per-anchor terms [B]; an empty batch gives 0. */
export function pairMean(
  embeddings: tf.Tensor,
  labels: Labels,
  { memory, items }: PairOptions,
  loss: (pairs: Pairs) => tf.Tensor,
): tf.Scalar {
  if (embeddings.rank !== 2) {
    throw new LossError({
      code: 'SHAPE',
      message: `Embeddings have shape [${embeddings.shape}]; expected [B, D].`,
    });
  }
  const [count, size] = embeddings.shape as [number, number];
  if (memory && (memory.embeddings.rank !== 2 || memory.embeddings.shape[1] !== size)) {
    throw new LossError({
      code: 'SHAPE',
      message: `Memory embeddings have shape [${memory.embeddings.shape}]; expected [M, ${size}].`,
    });
  }
  return tf.tidy(() => {
    const own = labelTensor(labels, count, 'embeddings', false); // [B]
    if (count === 0) return tf.scalar(0);
    const anchors = normalise(embeddings as tf.Tensor2D); // [B, D]
    const kept = memory && memory.embeddings.shape[0]! > 0 ? memory : undefined;
    const keptCount = kept?.embeddings.shape[0] ?? 0;
    const keys = kept ? tf.concat([anchors, normalise(kept.embeddings as tf.Tensor2D)], 0) : anchors; // [K, D]
    const keyLabels = kept
      ? tf.concat([own, labelTensor(kept.labels, keptCount, 'memory embeddings', false)], 0)
      : own; // [K]
    const same = tf.cast(tf.equal(tf.expandDims(own, 1), tf.expandDims(keyLabels, 0)), 'float32'); // [B, K]
    const other = tf.sub(1, sameItem(count, keptCount, items, kept?.items)); // [B, K]
    const pairs = {
      similarity: tf.matMul(anchors, keys, false, true) as tf.Tensor2D,
      positive: tf.mul(same, other) as tf.Tensor2D,
      negative: tf.mul(tf.sub(1, same), other) as tf.Tensor2D,
    };
    return tf.div(tf.sum(loss(pairs)), count) as tf.Scalar;
  });
}

/** [B, K] of 0 and 1: 1 where the key is the anchor itself, or of the same item. */
function sameItem(
  count: number,
  keptCount: number,
  items: Labels | undefined,
  keptItems: Labels | undefined,
): tf.Tensor {
  const itself = tf.pad(tf.eye(count), [
    [0, 0],
    [0, keptCount],
  ]); // [B, K]
  if (items === undefined) return itself;
  const own = tf.expandDims(labelTensor(items, count, 'embeddings', false), 1); // [B, 1]
  const equalTo = (keys: tf.Tensor) => tf.cast(tf.equal(own, tf.expandDims(keys, 0)), 'float32');
  const inBatch = equalTo(tf.squeeze(own, [1])); // [B, B]
  const inMemory =
    keptItems === undefined
      ? tf.zeros([count, keptCount])
      : equalTo(labelTensor(keptItems, keptCount, 'memory embeddings', false)); // [B, M]
  return tf.concat([inBatch, inMemory], 1);
}

/** Rows scaled to length 1; the floor keeps a zero row finite, with a zero gradient. */
function normalise(rows: tf.Tensor2D): tf.Tensor2D {
  const squared = tf.sum(tf.square(rows), 1, true); // [B, 1]
  return tf.mul(rows, tf.rsqrt(tf.maximum(squared, 1e-24)));
}

/** Adds a large negative number where `mask` is 0, so that an exponential or a maximum leaves those keys out. */
export function only<T extends tf.Tensor>(scores: T, mask: tf.Tensor): T {
  return tf.add(scores, tf.mul(tf.sub(mask, 1), 1e9)) as T;
}

/** What `compute` makes of `scores`, as a constant: no gradient flows through it, and its kernels need none. */
export function constantOf(scores: tf.Tensor2D, compute: (scores: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D {
  const operation = tf.customGrad((values: tf.Tensor | tf.GradSaveFunc) => ({
    value: compute(values as tf.Tensor2D),
    gradFunc: () => tf.zeros(scores.shape),
  }));
  return operation(scores) as tf.Tensor2D;
}

/** Mean of `terms` [B, K] over the keys that `mask` keeps; 0 for an anchor that keeps none. Gives [B]. */
export function meanOverKeys(terms: tf.Tensor, mask: tf.Tensor): tf.Tensor1D {
  const count = tf.maximum(tf.sum(mask, 1), 1); // [B]
  return tf.div(tf.sum(tf.mul(terms, mask), 1), count) as tf.Tensor1D;
}
