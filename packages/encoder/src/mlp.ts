import type * as tf from '@tensorflow/tfjs-core';
import { gelu } from './gelu.js';
import { type ForwardOptions, type Linear, linear } from './linear.js';

export interface Mlp {
  readonly fc1: Linear;
  readonly fc2: Linear;
}

/** Two linear layers with a GELU between: [rows, E] -> [rows, hidden] -> [rows, E] */
export function mlp(x: tf.Tensor2D, { fc1, fc2 }: Mlp, options: ForwardOptions): tf.Tensor2D {
  return linear(gelu(linear(x, fc1, options)), fc2, options);
}
