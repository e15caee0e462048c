import { normalDistribution } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';

/**
 * x * Phi(x) with the exact normal distribution function Phi(x) = 0.5 (1 + erf(x / sqrt 2)). Not the tanh approximation.
 *
 * While a gradient is recorded, the derivative Phi(x) + x phi(x) is computed at once and is all that is kept: tfjs's own
 * chain keeps five tensors of this size, the largest of a transformer.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  if (tf.engine().state.gradientDepth === 0) return tf.tidy(() => tf.mul(x, normalDistribution(x)));
  const operation = tf.customGrad((...inputs) => {
    const [x, save] = inputs as [T, tf.GradSaveFunc];
    const phi = normalDistribution(x);
    save([tf.tidy(() => tf.add(phi, tf.mul(x, normalDensity(x))))]);
    const gradFunc = (dy: tf.Tensor, [derivative]: tf.Tensor[]): tf.Tensor =>
      consuming(dy, () => tf.mul(dy, derivative!));
    return { value: tf.mul(x, phi), gradFunc };
  });
  return operation(x) as T;
}

/** exp(-x^2 / 2) / sqrt(2 pi), the factor taken into the exponent to save a pass over x. */
function normalDensity<T extends tf.Tensor>(x: T): T {
  const exponent = tf.tidy(() => tf.sub(-0.5 * Math.log(2 * Math.PI), tf.mul(tf.square(x), 0.5)));
  const density = tf.exp(exponent);
  exponent.dispose();
  return density as T;
}
