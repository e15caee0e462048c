import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Aggregation } from './aggregation.js';
import { AggregationError } from './aggregation-error.js';
import { poolBags } from './bag.js';
import { encoderLayer, type LayerContext, layerNormPlan, layerPlan } from './encoder-layer.js';
import {
  checkOptions,
  dropout,
  type InitialWeights,
  layerNorm,
  linear,
  linearPlan,
  makeVariables,
  type ParameterPlan,
} from './parameters.js';

/** Options of {@link transformerPool}. */
export interface TransformerPoolOptions {
  /** E, the length of a slice embedding. */
  inputSize: number;
  /** D, the length of a token and of the result; a multiple of `heads`. Default E / 2, rounded up to one. */
  hiddenSize?: number;
  /** Default 4. */
  heads?: number;
  /** Default 2. */
  layers?: number;
  /** Width of a layer's two-layer perceptron. Default 4 D. */
  feedForwardSize?: number;
  /** Dropout as in torch's layer: on attention, after attention, within and after the perceptron. Default 0.1. */
  dropout?: number;
  /** `sinusoidal` tells slices their place in the bag (Vaswani et al. 2017, section 3.5). Default 'none': a set. */
  positions?: 'none' | 'sinusoidal';
  /** Seed of the initial weights and of dropout. Default 0. */
  seed?: number;
  /** Initial values by name: `input.*`, `class_token` [D], `norm.*` and, as in torch's encoder, `layers.<i>.*`. */
  weights?: InitialWeights;
}

/**
 * A transformer over the slices, read out at a class token: slices are projected from E to D, a learned token is put
 * before them, `layers` pre-norm encoder layers follow, and the embedding is `LayerNorm(class token)` [D]. The attention
 * of a slice is what the class token gives it in the last layer, mean over heads, as a share of what all slices get (the
 * class token also looks at itself); it takes no part in dropout.
 *
 * The layer is torch's `nn.TransformerEncoderLayer(D, heads, feedForwardSize, norm_first=True)` with ReLU and its names.
 * The last one computes the class token's row alone.
 *
 * @throws AggregationError `OPTIONS`, `WEIGHTS`; `forward` throws `SHAPE`.
 * @example
 * const pool = transformerPool({ inputSize: 384, hiddenSize: 192, heads: 4, layers: 2 });
 * const { embedding, attention } = pool.forward(slices); // slices [S, 384] -> [192], [S]
 */
export function transformerPool({
  inputSize,
  heads = 4,
  hiddenSize = heads * Math.ceil(inputSize / 2 / heads),
  layers = 2,
  feedForwardSize = 4 * hiddenSize,
  dropout: rate = 0.1,
  positions = 'none',
  seed = 0,
  weights,
}: TransformerPoolOptions): Aggregation {
  checkOptions({ inputSize, heads, hiddenSize, layers, feedForwardSize }, rate);
  if (hiddenSize % heads !== 0 || (positions !== 'none' && positions !== 'sinusoidal')) {
    throw new AggregationError({
      code: 'OPTIONS',
      message:
        hiddenSize % heads !== 0
          ? `hiddenSize is ${hiddenSize}; expected a multiple of the ${heads} heads.`
          : `positions is ${positions}; expected none or sinusoidal.`,
    });
  }
  const variables = makeVariables(
    planOf(inputSize, hiddenSize, feedForwardSize, layers),
    new RandomStream(seed, 'aggregation'),
    weights,
  ) as Record<string, tf.Variable>;
  const random = new RandomStream(seed, 'aggregation.dropout');

  return {
    outputSize: hiddenSize,
    random,
    forward: ((slices, options = {}) =>
      poolBags(slices, options, inputSize, ({ slices: bags, mask }) => {
        const [batch, count] = bags.shape;
        const projected = linear(bags, variables['input.weight']!, variables['input.bias']); // [B, S, D]
        const placed =
          positions === 'none' ? projected : tf.add(projected, sinusoidalPositions(count, hiddenSize));
        const first = tf.add(tf.zeros([batch, 1, hiddenSize]), variables.class_token!); // [B, 1, D]
        let tokens = tf.concat([first, placed], 1) as tf.Tensor3D; // [B, T = 1 + S, D]
        const context: LayerContext = {
          variables,
          heads,
          mask: mask && (tf.concat([tf.ones([batch, 1]), mask], 1) as tf.Tensor2D), // [B, T]
          drop: (values) => (options.training ? dropout(values, rate, random) : values),
        };
        let attention: tf.Tensor4D | undefined;
        for (let layer = 0; layer < layers; layer++) {
          const result = encoderLayer(tokens, `layers.${layer}`, layer === layers - 1, context);
          tokens = result.tokens;
          attention = result.attention;
        }
        const read = layerNorm(tokens, variables['norm.weight']!, variables['norm.bias']!); // [B, 1, D]
        const embedding = tf.squeeze(read, [1]) as tf.Tensor2D; // [B, D]
        const byHead = tf.squeeze(tf.slice(attention!, [0, 0, 0, 1], [-1, -1, 1, -1]), [2]); // [B, heads, S]
        const given = tf.mean(byHead, 1); // [B, S]
        const share = tf.div(given, tf.maximum(tf.sum(given, 1, true), 1e-30)) as tf.Tensor2D;
        if (!mask) return { embedding, attention: share };
        return { embedding: tf.mul(embedding, tf.max(mask, 1, true)), attention: share };
      })) as Aggregation['forward'],
    variables: () => Object.values(variables),
    namedVariables: () => ({ ...variables }),
    dispose: () => tf.dispose(variables),
  };
}

/** [S, D]: sin(s / 10000^(2i / D)) at 2i and the cosine at 2i + 1. */
function sinusoidalPositions(count: number, size: number): tf.Tensor2D {
  const values = Float32Array.from({ length: count * size }, (_, at) => {
    const column = at % size;
    const angle = Math.floor(at / size) / 10000 ** ((column - (column % 2)) / size);
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return tf.tensor2d(values, [count, size]);
}

function planOf(input: number, size: number, wide: number, layers: number): ParameterPlan {
  const ofLayers = Array.from({ length: layers }, (_, i) => layerPlan(`layers.${i}`, size, wide));
  return {
    ...linearPlan('input', input, size),
    class_token: [[size], { fanIn: size }],
    ...Object.assign({}, ...ofLayers),
    ...layerNormPlan('norm', size),
  };
}
