import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Aggregation } from './aggregation.js';
import { maskedSoftmax, poolBags, uniformAttention, weightedSum } from './bag.js';
import {
  checkOptions,
  dropout,
  type InitialWeights,
  layerNorm,
  linear,
  linearPlan,
  makeVariables,
} from './parameters.js';

/** Options of {@link contextualAttention}. */
export interface ContextualAttentionOptions {
  /** E, the length of a slice embedding. */
  inputSize: number;
  /** D, the length of queries, keys, values and of the result. Default E / 2, rounded up. */
  hiddenSize?: number;
  /** Dropout on the attention matrix, after the softmax. Default 0.25. */
  dropout?: number;
  /** What scores are divided by: the original code divides by sqrt(E), textbooks by sqrt(D). Default 'sqrtE'. */
  scale?: 'sqrtE' | 'sqrtD';
  /** Seed of the initial weights and of dropout. Default 0. */
  seed?: number;
  /** Initial values by name: `norm|query|key|value` + `.weight|.bias`. */
  weights?: InitialWeights;
}

/**
 * Contextual attention: every slice attends to every slice, and the volume is the mean of what they see.
 *
 * `X = LayerNorm(H)`; `Q, K, V = X Wq + bq, X Wk + bk, X Wv + bv`; `A = dropout(softmax(Q K^T / sqrt(E)))`;
 * embedding = mean over slices of `A V` [D]; attention = column mean of `A` [S].
 * Source: `AttentionPooling` of FrancescaFati/UnderXAI-OVIT (MIT), which divides by sqrt(E), not sqrt(D).
 *
 * @throws AggregationError `OPTIONS`, `WEIGHTS`; `forward` throws `SHAPE`.
 * @example
 * const pool = contextualAttention({ inputSize: 384, hiddenSize: 192 });
 * const { embedding, attention } = pool.forward(slices); // slices [S, 384] -> [192], [S]
 */
export function contextualAttention({
  inputSize,
  hiddenSize = Math.ceil(inputSize / 2),
  dropout: rate = 0.25,
  scale = 'sqrtE',
  seed = 0,
  weights,
}: ContextualAttentionOptions): Aggregation {
  checkOptions({ inputSize, hiddenSize }, rate);
  const variables = makeVariables(
    {
      'norm.weight': [[inputSize], { constant: 1 }],
      'norm.bias': [[inputSize], { constant: 0 }],
      ...linearPlan('query', inputSize, hiddenSize),
      ...linearPlan('key', inputSize, hiddenSize),
      ...linearPlan('value', inputSize, hiddenSize),
    },
    new RandomStream(seed, 'aggregation'),
    weights,
  ) as Record<string, tf.Variable>;
  const random = new RandomStream(seed, 'aggregation.dropout');
  const divisor = Math.sqrt(scale === 'sqrtE' ? inputSize : hiddenSize);
  const project = (rows: tf.Tensor3D, name: string) =>
    linear(rows, variables[`${name}.weight`]!, variables[`${name}.bias`]!);

  return {
    outputSize: hiddenSize,
    random,
    forward: ((slices, options = {}) =>
      poolBags(slices, options, inputSize, ({ slices: bags, mask }) => {
        const [batch, count] = bags.shape;
        const normed = layerNorm(bags, variables['norm.weight']!, variables['norm.bias']!); // [B, S, E]
        const query = project(normed, 'query'); // [B, S, D]
        const key = project(normed, 'key'); // [B, S, D]
        const value = project(normed, 'value'); // [B, S, D]
        const scores = tf.div(tf.matMul(query, key, false, true), divisor) as tf.Tensor3D; // [B, S, S]
        const softmaxed = maskedSoftmax(scores, mask && tf.expandDims(mask, 1)); // [B, S, S]
        const matrix = options.training ? dropout(softmaxed, rate, random) : softmaxed;
        // Averaging A over its rows first gives the same embedding as averaging A V, with one product fewer of size S.
        const attention = weightedSum(uniformAttention(batch, count, mask), matrix); // [B, S]
        return { embedding: weightedSum(attention, value), attention };
      })) as Aggregation['forward'],
    variables: () => Object.values(variables),
    namedVariables: () => ({ ...variables }),
    dispose: () => tf.dispose(variables),
  };
}
