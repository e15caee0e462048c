import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';

/**
 * x + factor * change, the factor being LayerScale's (Touvron et al. 2021, https://arxiv.org/abs/2103.17239); ViT has
 * none. tfjs's own addition keeps both summands for its derivative, which needs neither.
 *
 * @param x [rows, E]
 * @param change [rows, E]
 * @param factor [E]
 */
export function residual(x: tf.Tensor2D, change: tf.Tensor2D, factor: tf.Tensor1D | undefined): tf.Tensor2D {
  if (factor instanceof tf.Variable) return tf.add(x, tf.mul(change, factor));
  const scaled = (tensor: tf.Tensor) => (factor ? tf.mul(tensor, factor) : tensor);
  const operation = tf.customGrad((...inputs) => ({
    value: tf.add(inputs[0] as tf.Tensor, scaled(inputs[1] as tf.Tensor)),
    gradFunc: (dy: tf.Tensor) => consuming(dy, () => [tf.clone(dy), factor ? scaled(dy) : tf.clone(dy)]),
  }));
  return operation(x, change) as tf.Tensor2D;
}
