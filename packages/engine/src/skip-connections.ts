import * as tf from '@tensorflow/tfjs-core';
import { volumeKernels } from './volume-kernels.js';

/**
 * leakyRelu(a + b), the end of a residual block. It keeps its output only, where tfjs's own chain keeps the sum besides.
 *
 * @param negativeSlope above or equal to 0; 1 is the sum alone
 */
export function leakySum<T extends tf.Tensor>(a: T, b: T, negativeSlope: number): T {
  const withGradient = tf.customGrad((...given) => {
    const save = given[2] as unknown as tf.GradSaveFunc;
    const value = tf.tidy(() => tf.leakyRelu(tf.add(a, b), negativeSlope));
    save([value]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const gradient = volumeKernels().leakyGradient(dy, saved[0]!, negativeSlope);
        tf.dispose(saved);
        return [gradient, tf.clone(gradient)];
      },
    };
  });
  return withGradient(a, b) as T;
}

/** [..., A] and [..., B] -> [..., A + B]. It keeps nothing for its gradient, where tfjs keeps both inputs. */
export function joinChannels<T extends tf.Tensor>(a: T, b: T): T {
  const [shape, first, second] = [a.shape, a.shape.at(-1)!, b.shape.at(-1)!];
  const withGradient = tf.customGrad(() => ({
    value: tf.concat([a, b], -1),
    gradFunc: (dy) => tf.split(dy, [first, second], shape.length - 1),
  }));
  return withGradient(a, b) as T;
}
