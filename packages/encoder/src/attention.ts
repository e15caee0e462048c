import * as tf from '@tensorflow/tfjs-core';
import { attend } from './attend.js';
import { adaptedWeight, attachedLora, drops, type LayerOptions, type Linear, linear } from './linear.js';
import { loraDown } from './lora.js';
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
  if (asking.shape[1] === 1 && !rotary) {
    const asked = tf.reshape(asking, [-1, width]) as tf.Tensor2D; // [B, E]
    const once = { ...options, constantInput };
    return linear(attendOnce(x, linear(asked, query, once), layers, once), output, options);
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
 * every score, which softmax ignores; the value's is added once, since the attention sums to 1. A LoRA that sees only a part of
 * its input is a second, narrow product of the same form, beside the layer's own.
 *
 * @param x [B, T, E]
 * @param query [B, E]
 * @returns [B, E]
 */
function attendOnce(
  x: tf.Tensor3D,
  query: tf.Tensor2D,
  { key, value, heads }: Attention,
  options: LayerOptions,
): tf.Tensor2D {
  const [batch, , width] = x.shape;
  const size = width / heads;
  const perHead = (rows: tf.Tensor2D) => tf.transpose(tf.reshape(rows, [-1, heads, size]), [1, 0, 2]); // [heads, B, d]
  const swap = (tensor: tf.Tensor) => tf.transpose(tensor, [1, 0, 2]); // [heads, B, ..] <-> [B, heads, ..]
  const asked = tf.mul(perHead(query), size ** -0.5); // [heads, B, d]
  const scores = productsOf(x, key, heads, options).map(({ input, weight }) =>
    tf.matMul(swap(tf.matMul(asked, weight)), input, false, true),
  ); // [B, heads, T] each
  const attention = tf.softmax(tf.addN(scores));
  const values = productsOf(x, value, heads, options).map(({ input, weight }) =>
    tf.matMul(swap(tf.matMul(attention, input)), weight, false, true),
  ); // [heads, B, d] each
  const joined = tf.reshape(swap(tf.addN(values)), [batch, width]) as tf.Tensor2D;
  return value.bias ? tf.add(joined, value.bias) : joined;
}

/** What a layer's output is the sum of, its bias apart: input [B, T, k] by weight [heads, d, k]. */
function productsOf(
  x: tf.Tensor3D,
  layer: Linear,
  heads: number,
  options: LayerOptions,
): { input: tf.Tensor3D; weight: tf.Tensor3D }[] {
  const perHead = (weight: tf.Tensor) => tf.reshape(weight, [heads, -1, weight.shape[1]!]) as tf.Tensor3D;
  const lora = attachedLora(layer);
  if (!lora || !drops(layer, options)) return [{ input: x, weight: perHead(adaptedWeight(layer)) }];
  const [batch, tokens, width] = x.shape;
  const low = loraDown(tf.reshape(x, [-1, width]) as tf.Tensor2D, lora, options); // [B * T, r]
  return [
    { input: x, weight: perHead(layer.weight) },
    { input: tf.reshape(low, [batch, tokens, -1]), weight: perHead(tf.mul(lora.b, lora.scaling)) },
  ];
}
