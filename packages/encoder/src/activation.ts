import * as tf from '@tensorflow/tfjs-core';
import { gelu } from './gelu.js';

/** transformers' names. `gelu` is the exact one; `gelu_new` and `gelu_pytorch_tanh` are its tanh approximation. */
const ACTIVATIONS = {
  gelu,
  gelu_new: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  quick_gelu: (x: tf.Tensor2D) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  silu: (x: tf.Tensor2D) => tf.mul(x, tf.sigmoid(x)),
  relu: (x: tf.Tensor2D) => tf.relu(x),
} satisfies Record<string, (x: tf.Tensor2D) => tf.Tensor2D>;

export type Activation = keyof typeof ACTIVATIONS;

export function isActivation(name: unknown): name is Activation {
  return typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name);
}

/** The MLP's nonlinearity, element by element. Source: transformers `activations.py`. */
export function activate(x: tf.Tensor2D, name: Activation): tf.Tensor2D {
  return ACTIVATIONS[name](x);
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
function tanhGelu(x: tf.Tensor2D): tf.Tensor2D {
  const cubic = tf.add(tf.mul(tf.mul(tf.square(x), x), 0.044715), x);
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1));
}
