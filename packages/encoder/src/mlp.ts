import { affine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { type Activation, activate } from './activation.js';
import { type ForwardOptions, type Linear, linear } from './linear.js';

export interface Mlp {
  /** Of a gated MLP only. */
  readonly gate: Linear | undefined;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly activation: Activation;
}

/**
 * fc2(act(fc1 x)), or gated fc2(act(gate x) * fc1 x) (SwiGLU where the activation is SiLU; Shazeer 2020,
 * https://arxiv.org/abs/2002.05202): [rows, E] -> [rows, hidden] -> [rows, E]
 */
export function mlp(
  x: tf.Tensor2D,
  { gate, fc1, fc2, activation }: Mlp,
  options: ForwardOptions,
): tf.Tensor2D {
  const isRecorded = tf.engine().state.gradientDepth > 0;
  if (!isRecorded && !gate && activation === 'gelu' && (!fc1.lora || fc1.lora.weightBeforeMerge)) {
    return linear(affine(x, fc1.weight, fc1.bias, 'gelu'), fc2, options);
  }
  const opened = linear(x, fc1, options); // [rows, hidden]
  const hidden = gate
    ? tf.mul(activate(linear(x, gate, options), activation), opened)
    : activate(opened, activation);
  return linear(hidden as tf.Tensor2D, fc2, options);
}
