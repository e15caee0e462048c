import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';
import { type Rotary, rotate } from './rotary.js';

/** How rows of tokens become heads, [B * T, E] <-> [B, heads, T, E / heads]. */
interface Heads {
  readonly batch: number;
  readonly heads: number;
  /** Turns queries and keys by their places (DINOv3). */
  readonly rotary: Rotary | undefined;
}

/**
 * softmax(q k^T / sqrt(d)) v of each head. The derivative is written out: between the passes it keeps queries, keys,
 * values, the attention and the output, and nothing else; tfjs's own chain keeps fifteen tensors.
 *
 * @param query [B * Q, E]; Q may be smaller than T
 * @param key [B * T, E]
 * @param value [B * T, E]
 * @returns [B * Q, E]
 */
export function attend(query: tf.Tensor2D, key: tf.Tensor2D, value: tf.Tensor2D, shape: Heads): tf.Tensor2D {
  const width = query.shape[1];
  const scale = (width / shape.heads) ** -0.5;
  const operation = tf.customGrad((...inputs) => {
    const [query, key, value, save] = inputs as unknown as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
      tf.GradSaveFunc,
    ];
    const queries = tf.tidy(() => placed(tf.mul(query, scale) as tf.Tensor2D, shape, 1)); // [B, heads, Q, d]
    const keys = placed(key, shape, 1); // [B, heads, T, d]
    const values = split(value, shape); // [B, heads, T, d]
    const attention = tf.tidy(() => tf.softmax(tf.matMul(queries, keys, false, true))); // [B, heads, Q, T]
    const output = tf.tidy(() => join(tf.matMul(attention, values))); // [B * Q, E]
    save([queries, keys, values, attention, output]);
    return { value: output, gradFunc: (dy, saved) => gradients(dy as tf.Tensor2D, saved, shape, scale) };
  });
  return operation(query, key, value) as tf.Tensor2D;
}

/** d softmax = a (da - sum(a da)), and the sum over the keys equals that of dy * output over a head's channels. */
function gradients(dy: tf.Tensor2D, saved: tf.Tensor[], shape: Heads, scale: number): tf.Tensor2D[] {
  const [queries, keys, values, attention, output] = saved as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor2D,
  ];
  return consuming(dy, () => {
    const outer = split(dy, shape); // [B, heads, Q, d]
    const along = tf.sum(split(tf.mul(dy, output), shape), -1, true); // [B, heads, Q, 1]
    const scores = tf.tidy(() =>
      tf.mul(attention, tf.sub(tf.matMul(outer, values, false, true), along)),
    ) as tf.Tensor4D; // [B, heads, Q, T]
    return [
      tf.tidy(() => tf.mul(back(tf.matMul(scores, keys), shape), scale) as tf.Tensor2D), // [B * Q, E]
      tf.tidy(() => back(tf.matMul(scores, queries, true, false), shape)), // [B * T, E]
      tf.tidy(() => join(tf.matMul(attention, outer, true, false))), // [B * T, E]
    ];
  });
}

/** [B * T, E] -> [B, heads, T, E / heads] */
function split(rows: tf.Tensor, { batch, heads }: Heads): tf.Tensor4D {
  const [count, width] = rows.shape as [number, number];
  const parts = tf.reshape(rows, [batch, count / batch, heads, width / heads]);
  return tf.transpose(parts, [0, 2, 1, 3]) as tf.Tensor4D;
}

/** [B, heads, T, d] -> [B * T, heads * d] */
function join(parts: tf.Tensor4D): tf.Tensor2D {
  const [batch, heads, tokens, size] = parts.shape;
  return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), [batch * tokens, heads * size]);
}

/** Rows as heads, turned by their places where there are angles: [B * T, E] -> [B, heads, T, d] */
export function placed(rows: tf.Tensor2D, shape: Heads, sense: 1 | -1): tf.Tensor4D {
  const parts = split(rows, shape);
  return shape.rotary ? rotate(parts, shape.rotary, sense) : parts;
}

/** A rotation's derivative is the rotation the other way round. */
function back(parts: tf.Tensor4D, { rotary }: Heads): tf.Tensor2D {
  return join(rotary ? rotate(parts, rotary, -1) : parts);
}
