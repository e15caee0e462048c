import type { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { type Lora, loraDelta } from './lora.js';

/** A fully connected layer. `weight` is kept [out, in], as torch stores it. */
export interface Linear {
  /** Its name in the hub's checkpoints, e.g. `encoder.layer.11.attention.attention.query`. */
  readonly name: string;
  weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D | undefined;
  lora?: Lora;
}

/** What a forward pass needs beside weights. `dropout` is there while training only. */
export interface ForwardOptions {
  /** Draws the masks of LoRA's dropout. Leave it out when not training: nothing is dropped then. */
  dropout?: RandomStream;
}

/** y = x W^T + b, plus LoRA's (alpha / r) dropout(x) A^T B^T where one is attached and not merged. */
export function linear(x: tf.Tensor2D, layer: Linear, options: ForwardOptions): tf.Tensor2D {
  const product = tf.matMul(x, layer.weight, false, true); // [rows, in] x [out, in]^T -> [rows, out]
  const output = layer.bias ? tf.add(product, layer.bias) : product;
  if (!layer.lora || layer.lora.weightBeforeMerge) return output as tf.Tensor2D;
  return tf.add(output, loraDelta(x, layer.lora, options)); // [rows, out]
}
