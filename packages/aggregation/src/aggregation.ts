import type { RandomStream } from '@onco-response/engine';
import type * as tf from '@tensorflow/tfjs-core';

/** How to read a bag of slices. */
export interface ForwardOptions {
  /** [B, S] with 1 for a real slice and 0 for padding; only with a batched input. Padding never changes the result. */
  mask?: tf.Tensor;
  /** Apply dropout. Default false. */
  training?: boolean;
}

/** One bag: `H` was [S, E]. */
export interface BagResult {
  /** [D] volumetric embedding. */
  embedding: tf.Tensor1D;
  /** [S] weight of each slice; sums to 1 (not while dropout is applied). */
  attention: tf.Tensor1D;
}

/** Several bags: `H` was [B, S, E]. */
export interface BatchResult {
  /** [B, D] volumetric embeddings. */
  embedding: tf.Tensor2D;
  /** [B, S] weight of each slice; 0 for padding. */
  attention: tf.Tensor2D;
}

/** Turns slice embeddings of one volume into one volumetric embedding. */
export interface Aggregation {
  /** D, the length of the volumetric embedding. */
  readonly outputSize: number;
  /** Where dropout draws from: save `random.state()` in a checkpoint and `restore` it to go on with the same draws. */
  readonly random: RandomStream | undefined;
  forward(slices: tf.Tensor2D, options?: ForwardOptions): BagResult;
  forward(slices: tf.Tensor3D, options?: ForwardOptions): BatchResult;
  forward(slices: tf.Tensor, options?: ForwardOptions): BagResult | BatchResult;
  /** Trainable variables in a fixed order. */
  variables(): tf.Variable[];
  /** The same by name. Linear layers are stored as in torch: weight [out, in], bias [out]. */
  namedVariables(): Record<string, tf.Variable>;
  dispose(): void;
}
