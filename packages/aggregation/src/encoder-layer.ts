import * as tf from '@tensorflow/tfjs-core';
import { maskedSoftmax } from './bag.js';
import { layerNorm, linear, linearPlan, type ParameterPlan } from './parameters.js';

/** Everything that a layer needs beside its tokens. */
export interface LayerContext {
  variables: Record<string, tf.Variable>;
  heads: number;
  /** [B, T] of 0 and 1, or undefined where every token is real. */
  mask: tf.Tensor2D | undefined;
  drop: <T extends tf.Tensor>(values: T) => T;
}

/**
 * torch's `nn.TransformerEncoderLayer(norm_first=True)` with ReLU: `x + attention(norm1(x))`, then
 * `x + perceptron(norm2(x))`; of the first token only where `last`.
 */
export function encoderLayer(
  tokens: tf.Tensor3D,
  name: string,
  last: boolean,
  context: LayerContext,
): { tokens: tf.Tensor3D; attention: tf.Tensor4D } {
  const { variables, drop } = context;
  const parameter = (key: string) => variables[`${name}.${key}`]!;
  const queried = <T extends tf.Tensor3D>(rows: T) => (last ? tf.slice(rows, [0, 0, 0], [-1, 1, -1]) : rows);

  const normed = layerNorm(tokens, parameter('norm1.weight'), parameter('norm1.bias')); // [B, T, D]
  const size = tokens.shape[2];
  const project = (rows: tf.Tensor3D, part: number) =>
    splitHeads(
      linear(
        rows,
        tf.slice(parameter('self_attn.in_proj_weight'), [part * size, 0], [size, size]),
        tf.slice(parameter('self_attn.in_proj_bias'), part * size, size),
      ),
      context.heads,
    ); // [B, heads, T or 1, D / heads]
  const query = project(queried(normed), 0);
  const scores = tf.div(
    tf.matMul(query, project(normed, 1), false, true),
    Math.sqrt(size / context.heads),
  ) as tf.Tensor4D; // [B, heads, T or 1, T]
  const attention = maskedSoftmax(scores, context.mask && tf.expandDims(tf.expandDims(context.mask, 1), 1));
  const seen = joinHeads(tf.matMul(drop(attention), project(normed, 2)) as tf.Tensor4D); // [B, T or 1, D]
  const attended = linear(seen, parameter('self_attn.out_proj.weight'), parameter('self_attn.out_proj.bias'));
  const between = tf.add(queried(tokens), drop(attended)) as tf.Tensor3D;

  const normedAgain = layerNorm(between, parameter('norm2.weight'), parameter('norm2.bias'));
  const wide = tf.relu(linear(normedAgain, parameter('linear1.weight'), parameter('linear1.bias')));
  const narrow = linear(drop(wide), parameter('linear2.weight'), parameter('linear2.bias')); // [B, T or 1, D]
  return { tokens: tf.add(between, drop(narrow)), attention };
}

/** [B, T, D] to [B, heads, T, D / heads] */
function splitHeads(rows: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, count, size] = rows.shape;
  return tf.transpose(tf.reshape(rows, [batch, count, heads, size / heads]), [0, 2, 1, 3]);
}

/** [B, heads, T, D / heads] to [B, T, D] */
function joinHeads(rows: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, count, size] = rows.shape;
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [batch, count, heads * size]);
}

export function layerNormPlan(name: string, size: number): ParameterPlan {
  return { [`${name}.weight`]: [[size], { constant: 1 }], [`${name}.bias`]: [[size], { constant: 0 }] };
}

/** Parameters of a layer under torch's names. */
export function layerPlan(name: string, size: number, wide: number): ParameterPlan {
  return {
    ...layerNormPlan(`${name}.norm1`, size),
    [`${name}.self_attn.in_proj_weight`]: [[3 * size, size], { fanIn: size }],
    [`${name}.self_attn.in_proj_bias`]: [[3 * size], { fanIn: size }],
    ...linearPlan(`${name}.self_attn.out_proj`, size, size),
    ...layerNormPlan(`${name}.norm2`, size),
    ...linearPlan(`${name}.linear1`, size, wide),
    ...linearPlan(`${name}.linear2`, wide, size),
  };
}
