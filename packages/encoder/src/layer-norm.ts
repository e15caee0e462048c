import { normaliseLayer } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';

export interface LayerNorm {
  readonly weight: tf.Tensor1D;
  readonly bias: tf.Tensor1D;
  readonly epsilon: number;
}

/**
 * (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis; the variance is the biased one.
 * Ba et al. 2016, https://arxiv.org/abs/1607.06450.
 *
 * The derivative with respect to x is written out (half the time of tfjs's chain); weight and bias are constants in it.
 * Where they are trained, tfjs derives it.
 */
export function layerNorm<T extends tf.Tensor>(x: T, norm: LayerNorm): T {
  const { weight, bias, epsilon } = norm;
  if (weight instanceof tf.Variable || bias instanceof tf.Variable) return trainedLayerNorm(x, norm);
  if (tf.engine().state.gradientDepth === 0) return normaliseLayer(x, weight, bias, epsilon);
  const operation = tf.customGrad((...inputs) => {
    const [x, save] = inputs as [T, tf.GradSaveFunc];
    const centred = tf.sub(x, tf.mean(x, -1, true)); // [..., E]
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // [..., 1]
    const normalised = tf.mul(centred, inverse); // [..., E]
    save([normalised, inverse]);
    const gradFunc = (dy: tf.Tensor, [normalised, inverse]: tf.Tensor[]): tf.Tensor =>
      consuming(dy, () => {
        const scaled = tf.mul(dy, weight); // [..., E]
        const along = tf.tidy(() => tf.mul(normalised!, tf.mean(tf.mul(scaled, normalised!), -1, true))); // [..., E]
        const centred = tf.tidy(() => tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), along));
        return tf.mul(inverse!, centred);
      });
    return { value: tf.add(tf.mul(normalised, weight), bias), gradFunc };
  });
  return operation(x) as T;
}

function trainedLayerNorm<T extends tf.Tensor>(x: T, { weight, bias, epsilon }: LayerNorm): T {
  const { mean, variance } = tf.moments(x, -1, true); // [..., 1]
  const normalised = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))); // [..., E]
  return tf.add(tf.mul(normalised, weight), bias);
}
