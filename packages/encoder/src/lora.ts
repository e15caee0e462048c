import type { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The low-rank change of one linear layer: W + scaling B A. Hu et al. 2021, https://arxiv.org/abs/2106.09685; the
 * arithmetic follows `peft/tuners/lora/layer.py`.
 */
export interface Lora {
  /** [r, in] */
  readonly a: tf.Variable<tf.Rank.R2>;
  /** [out, r] */
  readonly b: tf.Variable<tf.Rank.R2>;
  /** lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora. */
  readonly scaling: number;
  readonly dropout: number;
  /** The layer's own weight while B A is added into it; undefined while it is not. */
  weightBeforeMerge?: tf.Tensor2D;
}

/** scaling * dropout(x) A^T B^T: [rows, in] -> [rows, out] */
export function loraDelta(
  x: tf.Tensor2D,
  { a, b, scaling, dropout }: Lora,
  options: { dropout?: RandomStream },
): tf.Tensor2D {
  const kept = options.dropout && dropout > 0 ? tf.mul(x, dropoutMask(x.shape, dropout, options.dropout)) : x;
  const low = tf.matMul(kept as tf.Tensor2D, a, false, true); // [rows, r]
  return tf.mul(tf.matMul(low, b, false, true), scaling); // [rows, out]
}

/**
 * 0 with the given probability, else 1 / (1 - probability). Only the dropped places are drawn, by their geometrically
 * distributed distances, which takes one draw a dropped element in place of one an element.
 */
export function dropoutMask(shape: [number, number], probability: number, stream: RandomStream): tf.Tensor2D {
  const mask = new Float32Array(shape[0] * shape[1]).fill(1 / (1 - probability));
  const logKeep = Math.log1p(-probability);
  const gap = () => Math.floor(Math.log1p(-stream.uniform()) / logKeep);
  for (let at = gap(); at < mask.length; at += 1 + gap()) mask[at] = 0;
  return tf.tensor2d(mask, shape);
}
