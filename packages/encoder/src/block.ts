import * as tf from '@tensorflow/tfjs-core';
import { type Attention, attention } from './attention.js';
import { type LayerNorm, layerNorm } from './layer-norm.js';
import type { LayerOptions } from './linear.js';
import { type Mlp, mlp } from './mlp.js';
import { residual } from './residual.js';
import type { Rotary } from './rotary.js';

export interface Block {
  readonly norm1: LayerNorm;
  readonly attention: Attention;
  readonly scale1: tf.Tensor1D | undefined;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  readonly scale2: tf.Tensor1D | undefined;
}

/**
 * One pre-norm transformer block: x += scale1 attention(norm1 x); x += scale2 mlp(norm2 x). [B, T, E] -> [B, Q, E]
 *
 * @param options.constantInput no derivative of x is wanted; only what reads x itself is told
 * @param outputs 'all' tokens (Q = T), or the 'class' token only (Q = 1): the same numbers for 1 / T of the queries and MLP.
 */
export function block(
  x: tf.Tensor3D,
  layers: Block,
  outputs: 'all' | 'class',
  { constantInput = false, ...options }: LayerOptions & { rotary?: Rotary },
): tf.Tensor3D {
  const [batch, tokens, width] = x.shape;
  const kept = outputs === 'all' ? tokens : 1;
  const rows = (tensor: tf.Tensor): tf.Tensor2D => tf.reshape(tensor, [-1, width]);
  const keep = (tensor: tf.Tensor3D) =>
    kept === tokens ? tensor : tf.slice(tensor, [0, 0, 0], [batch, kept, width]); // [B, Q, E]
  const normed = layerNorm(x, layers.norm1); // [B, T, E]
  const isTrained = layers.norm1.weight instanceof tf.Variable || layers.norm1.bias instanceof tf.Variable;
  const attended = attention(normed, keep(normed), layers.attention, {
    ...options,
    constantInput: constantInput && !isTrained,
  }); // [B * Q, E]
  const middle = residual(rows(keep(x)), attended, layers.scale1); // [B * Q, E]
  const expanded = mlp(layerNorm(middle, layers.norm2), layers.mlp, options); // [B * Q, E]
  return tf.reshape(residual(middle, expanded, layers.scale2), [batch, kept, width]);
}
