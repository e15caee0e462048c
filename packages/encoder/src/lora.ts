import type { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';

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

/**
 * dropout(x) A^T: [rows, in] -> [rows, r]. The derivative keeps x without what was dropped, and where that was as one byte an
 * element; tfjs's own chain keeps four tensors of x's size.
 */
export function loraDown(
  x: tf.Tensor2D,
  { a, dropout }: Pick<Lora, 'a' | 'dropout'>,
  { dropout: stream, constantInput = false }: { dropout?: RandomStream; constantInput?: boolean },
): tf.Tensor2D {
  if (!stream || dropout === 0) return tf.matMul(x, a, false, true) as tf.Tensor2D;
  const scaling = 1 / (1 - dropout); // of what is kept, taken into A, which is small
  const operation = tf.customGrad((...inputs) => {
    const save = inputs.at(-1) as unknown as tf.GradSaveFunc;
    const mask = keptMask(x.shape, dropout, stream);
    const kept = tf.tidy(() => tf.mul(x, tf.cast(mask, 'float32')) as tf.Tensor2D);
    save(constantInput ? [kept] : [kept, mask]);
    const scaled = tf.mul(a, scaling) as tf.Tensor2D;
    const gradFunc = (dy: tf.Tensor, [kept, mask]: tf.Tensor[]) =>
      consuming(dy, () => {
        const scaled = tf.mul(dy, scaling) as tf.Tensor2D; // [rows, r]
        const ofA = tf.matMul(scaled, kept as tf.Tensor2D, true, false); // [r, in]
        return mask ? [ofA, tf.mul(tf.matMul(scaled, a), tf.cast(mask, 'float32'))] : [ofA];
      });
    return { value: tf.matMul(kept, scaled, false, true) as tf.Tensor2D, gradFunc };
  });
  return operation(...(constantInput ? [a] : [a, x])) as tf.Tensor2D;
}

/** scaling * dropout(x) A^T B^T: [rows, in] -> [rows, out] */
export function loraDelta(
  x: tf.Tensor2D,
  lora: Lora,
  options: { dropout?: RandomStream; constantInput?: boolean },
): tf.Tensor2D {
  return tf.matMul(loraDown(x, lora, options), tf.mul(lora.b, lora.scaling), false, true) as tf.Tensor2D;
}

/**
 * False with the given probability. Only the dropped places are drawn, by their geometrically distributed distances, which
 * takes one draw a dropped element in place of one an element.
 */
export function keptMask(shape: [number, number], probability: number, stream: RandomStream): tf.Tensor2D {
  const mask = new Uint8Array(shape[0] * shape[1]).fill(1);
  const logKeep = Math.log1p(-probability);
  const gap = () => Math.floor(Math.log1p(-stream.uniform()) / logKeep);
  for (let at = gap(); at < mask.length; at += 1 + gap()) mask[at] = 0;
  return tf.tensor2d(mask, shape, 'bool');
}
