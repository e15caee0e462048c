import * as tf from '@tensorflow/tfjs-core';
import { placed } from './attend.js';
import type { Attention } from './attention.js';
import { linear } from './linear.js';
import type { Rotary } from './rotary.js';

/**
 * softmax(q k^T / sqrt(d)) alone, which `attend` never gives away: what each token takes of each token's value, in each head.
 * [B, T, E] -> [B, heads, T, T]
 */
export function attentionWeights(
  x: tf.Tensor3D,
  { query, key, heads }: Attention,
  { rotary }: { rotary?: Rotary | undefined },
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, , width] = x.shape;
    const rows = tf.reshape(x, [-1, width]) as tf.Tensor2D; // [B * T, E]
    const shape = { batch, heads, rotary };
    const queries = tf.mul(linear(rows, query, {}), (width / heads) ** -0.5) as tf.Tensor2D;
    const keys = linear(rows, key, {});
    return tf.softmax(
      tf.matMul(placed(queries, shape, 1), placed(keys, shape, 1), false, true),
    ) as tf.Tensor4D;
  });
}
