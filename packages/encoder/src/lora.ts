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
  const distances = distanceTable(probability);
  const next = () => {
    const bits = stream.bits();
    const distance = distances[bits >>> 16]!;
    return distance >= 0 ? distance : distanceOf(bits, probability);
  };
  for (let at = next(); at < mask.length; at += 1 + next()) mask[at] = 0;
  return tf.tensor2d(mask, shape, 'bool');
}

/** How many elements are kept before the next dropped one: the inverse distribution function at bits / 2^32. */
const distanceOf = (bits: number, probability: number) =>
  Math.floor(Math.log1p(-bits / 2 ** 32) / Math.log1p(-probability));

const tables = new Map<number, Int32Array>();

/** `distanceOf` by the upper 16 bits, or -1 where the lower ones decide: logarithms took most of a mask's time. */
function distanceTable(probability: number): Int32Array {
  const known = tables.get(probability);
  if (known) return known;
  const table = Int32Array.from({ length: 65536 }, (_, upper) => {
    const lowest = distanceOf(upper * 65536, probability);
    return lowest === distanceOf(upper * 65536 + 65535, probability) ? lowest : -1;
  });
  tables.set(probability, table);
  return table;
}
