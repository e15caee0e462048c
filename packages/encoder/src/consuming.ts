import * as tf from '@tensorflow/tfjs-core';

/**
 * The derivatives that `derive` makes of `dy`, after which `dy` is freed. tfjs would keep the derivative of every
 * intermediate result until the whole backward pass ends; each belongs to one operation only, which is the last to read it.
 */
export function consuming<T extends tf.Tensor | tf.Tensor[]>(dy: tf.Tensor, derive: () => T): T {
  const derivatives = tf.tidy(derive);
  dy.dispose();
  return derivatives;
}
