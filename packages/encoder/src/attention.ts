import * as tf from '@tensorflow/tfjs-core';
import { type ForwardOptions, type Linear, linear } from './linear.js';

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
 * @returns [B * Q, E]
 */
export function attention(
  x: tf.Tensor3D,
  asking: tf.Tensor3D,
  { query, key, value, output, heads }: Attention,
  options: ForwardOptions,
): tf.Tensor2D {
  const [batch, , width] = x.shape;
  const headSize = width / heads;
  const perHead = (tokens: tf.Tensor3D, layer: Linear): tf.Tensor4D => {
    const rows = linear(tf.reshape(tokens, [-1, width]), layer, options); // [B * T, E]
    return tf.transpose(tf.reshape(rows, [batch, -1, heads, headSize]), [0, 2, 1, 3]); // [B, heads, T, E / heads]
  };
  const queries = tf.mul(perHead(asking, query), headSize ** -0.5); // [B, heads, Q, E / heads]
  const scores = tf.matMul(queries, perHead(x, key), false, true); // [B, heads, Q, T]
  const mixed = tf.matMul(tf.softmax(scores), perHead(x, value)); // [B, heads, Q, E / heads]
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, width]); // [B * Q, E]
  return linear(joined as tf.Tensor2D, output, options);
}
