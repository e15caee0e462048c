import * as tf from '@tensorflow/tfjs-core';

export interface LayerNorm {
  readonly weight: tf.Tensor1D;
  readonly bias: tf.Tensor1D;
  readonly epsilon: number;
}

/** (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis; the variance is the biased one. */
export function layerNorm<T extends tf.Tensor>(x: T, { weight, bias, epsilon }: LayerNorm): T {
  const centred = tf.sub(x, tf.mean(x, -1, true)); // [..., E]
  const variance = tf.mean(tf.square(centred), -1, true); // [..., 1]
  const normalised = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))); // [..., E]
  return tf.add(tf.mul(normalised, weight), bias);
}
