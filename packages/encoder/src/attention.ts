import * as tf from '@tensorflow/tfjs-core';
import { attend } from './attend.js';
import { adaptedWeight, type LayerOptions, type Linear, linear } from './linear.js';
import type { Rotary } from './rotary.js';

export interface Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly heads: number;
}

/**
 * Multi-head self-attention, softmax(q k^T / sqrt(d)) v. The queries may be fewer than the tokens attended to: the last
 * block asks for the class token only.
 *
 * @param x [B, T, E], the tokens attended to
 * @param asking [B, Q, E], the tokens whose output is wanted
 * @param options.rotary turns queries and keys by their places (DINOv3); the tokens asked for are then the first Q
 * @returns [B * Q, E]
 */
export function attention(
  x: tf.Tensor3D,
  asking: tf.Tensor3D,
  layers: Attention,
  { rotary, constantInput = false, ...options }: LayerOptions & { rotary?: Rotary },
): tf.Tensor2D {
  const { query, key, value, output, heads } = layers;
  const [batch, , width] = x.shape;
  const drops = options.dropout && [key, value].some(({ lora }) => lora && lora.dropout > 0);
  if (asking.shape[1] === 1 && !rotary && !drops) {
    return linear(
      attendOnce(
        x,
        linear(tf.reshape(asking, [-1, width]) as tf.Tensor2D, query, { ...options, constantInput }),
        layers,
      ),
      output,
      options,
    );
  }
  const rows = tf.reshape(x, [-1, width]) as tf.Tensor2D; // [B * T, E]
  const asked = asking === x ? rows : (tf.reshape(asking, [-1, width]) as tf.Tensor2D); // [B * Q, E]
  const mixed = attend(
    linear(asked, query, { ...options, constantInput }),
    linear(rows, key, { ...options, constantInput }),
    linear(rows, value, { ...options, constantInput }),
    { batch, heads, rotary },
  );
  return linear(mixed, output, options);
}

/**
 * Attention with one query an image: keys and values of the other tokens need not be computed. q (x Wk^T)^T is
 * (q Wk) x^T, and a (x Wv^T) is (a x) Wv^T, products of a few rows in place of all T. The key's bias adds the same to
 * every score, which softmax ignores; the value's is added once, since the attention sums to 1.
 *
 * @param x [B, T, E]
 * @param query [B, E]
 * @returns [B, E]
 */
function attendOnce(x: tf.Tensor3D, query: tf.Tensor2D, { key, value, heads }: Attention): tf.Tensor2D {
  const [batch, , width] = x.shape;
  const size = width / heads;
  const perHead = (rows: tf.Tensor2D) => tf.transpose(tf.reshape(rows, [-1, heads, size]), [1, 0, 2]); // [heads, B, d]
  const weightOf = (layer: Linear) => tf.reshape(adaptedWeight(layer), [heads, size, width]); // [heads, d, E]
  const asked = tf.matMul(tf.mul(perHead(query), size ** -0.5), weightOf(key)); // [heads, B, E]
  const scores = tf.matMul(tf.transpose(asked, [1, 0, 2]), x, false, true); // [B, heads, T]
  const mixed = tf.transpose(tf.matMul(tf.softmax(scores), x), [1, 0, 2]); // [heads, B, E]
  const values = tf.matMul(mixed, weightOf(value), false, true); // [heads, B, d]
  const joined = tf.reshape(tf.transpose(values, [1, 0, 2]), [batch, width]) as tf.Tensor2D;
  return value.bias ? tf.add(joined, value.bias) : joined;
}
