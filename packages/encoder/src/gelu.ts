import * as tf from '@tensorflow/tfjs-core';

/** x * Phi(x) with the exact normal distribution function: 0.5 x (1 + erf(x / sqrt 2)). Not the tanh approximation. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}
