import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Aggregation } from './aggregation.js';
import { maskedSoftmax, poolBags, weightedSum } from './bag.js';
import {
  checkOptions,
  dropout,
  type InitialWeights,
  linear,
  linearPlan,
  makeVariables,
} from './parameters.js';

/** Options of {@link gatedAttention} and {@link attention}. */
export interface AttentionOptions {
  /** E, the length of a slice embedding and of the result. */
  inputSize: number;
  /** L, the width of the hidden layer that scores a slice. Default 128. */
  hiddenSize?: number;
  /** Dropout on the hidden layer that scores a slice. Default 0. */
  dropout?: number;
  /** Seed of the initial weights and of dropout. Default 0. */
  seed?: number;
  /** Initial values by name: `value.weight` [L, E], `value.bias` [L], `gate.*` alike (gated only), `score.weight` [1, L]. */
  weights?: InitialWeights;
}

/**
 * Attention-based multiple-instance pooling: `a = softmax_s(w^T tanh(V h_s + b))`, embedding = `sum_s a_s h_s` [E].
 * `w` has no bias: it would cancel in the softmax. Source: Ilse et al. 2018, eq. 8 (AMLab-Amsterdam/AttentionDeepMIL).
 *
 * @throws AggregationError `OPTIONS`, `WEIGHTS`; `forward` throws `SHAPE`.
 * @example
 * const pool = attention({ inputSize: 384 });
 * const { embedding } = pool.forward(slices); // slices [S, 384] -> [384]
 */
export function attention(options: AttentionOptions): Aggregation {
  return scoredSum(options, false);
}

/**
 * Gated attention pooling: `a = softmax_s(w^T (tanh(V h_s + b) * sigmoid(U h_s + c)))`, embedding = `sum_s a_s h_s` [E].
 * `V` is `value`, `U` is `gate`, `w` is `score`. Source: Ilse et al. 2018, eq. 9 (AMLab-Amsterdam/AttentionDeepMIL).
 *
 * @throws AggregationError `OPTIONS`, `WEIGHTS`; `forward` throws `SHAPE`.
 * @example
 * const pool = gatedAttention({ inputSize: 384, hiddenSize: 128 });
 * const { embedding, attention } = pool.forward(slices); // slices [S, 384] -> [384], [S]
 */
export function gatedAttention(options: AttentionOptions): Aggregation {
  return scoredSum(options, true);
}

function scoredSum(
  { inputSize, hiddenSize = 128, dropout: rate = 0, seed = 0, weights }: AttentionOptions,
  gated: boolean,
): Aggregation {
  checkOptions({ inputSize, hiddenSize }, rate);
  const variables = makeVariables(
    {
      ...linearPlan('value', inputSize, hiddenSize),
      ...(gated ? linearPlan('gate', inputSize, hiddenSize) : {}),
      ...linearPlan('score', hiddenSize, 1, false),
    },
    new RandomStream(seed, 'aggregation'),
    weights,
  ) as Record<string, tf.Variable>;
  const random = new RandomStream(seed, 'aggregation.dropout');
  const project = (rows: tf.Tensor3D, name: string) =>
    linear(rows, variables[`${name}.weight`]!, variables[`${name}.bias`]);

  return {
    outputSize: inputSize,
    random,
    forward: ((slices, options = {}) =>
      poolBags(slices, options, inputSize, ({ slices: bags, mask }) => {
        const content = tf.tanh(project(bags, 'value')); // [B, S, L]
        const opened = gated ? tf.mul(content, tf.sigmoid(project(bags, 'gate'))) : content;
        const hidden = (options.training ? dropout(opened, rate, random) : opened) as tf.Tensor3D;
        const scores = tf.squeeze(project(hidden, 'score'), [2]) as tf.Tensor2D; // [B, S]
        const weight = maskedSoftmax(scores, mask); // [B, S]
        return { embedding: weightedSum(weight, bags), attention: weight };
      })) as Aggregation['forward'],
    variables: () => Object.values(variables),
    namedVariables: () => ({ ...variables }),
    dispose: () => tf.dispose(variables),
  };
}
