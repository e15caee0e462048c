import * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionGeometry, VolumeKernels } from './volume-kernels.js';

/** What every tfjs backend has. Its gradients of convolutions know no dilation. */
export const portableVolumeKernels: VolumeKernels = {
  dilates: false,

  convolve: (x, filter, geometry) =>
    run('Conv3D', { x, filter }, { ...attributes(geometry), dilations: [1, 1, 1], dataFormat: 'NDHWC' }),

  inputGradient: (dy, filter, inputShape, geometry) =>
    run('Conv3DBackpropInputV2', { dy, filter }, { ...attributes(geometry), inputShape: [...inputShape] }),

  filterGradient: (x, dy, filterShape, geometry) =>
    run('Conv3DBackpropFilterV2', { x, dy }, { ...attributes(geometry), filterShape: [...filterShape] }),

  normalise: (x, weight, bias, epsilon) => {
    const [output, mean, inverse] = tf.tidy(() => {
      const mean = tf.mean(x, 0, true); // [1, C]
      const centred = tf.sub(x, mean); // [positions, C]
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 0, true), epsilon)); // [1, C]
      return [tf.add(tf.mul(centred, tf.mul(inverse, weight)), bias), mean, inverse];
    }) as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { output, statistics: [mean, inverse] };
  },

  normaliseGradient: (dy, x, weight, [mean, inverse]) =>
    tf.tidy(() => {
      const normal = tf.mul(tf.sub(x, mean!), inverse!); // [positions, C]
      const dWeight = tf.sum(tf.mul(dy, normal), 0); // [C]
      const dBias = tf.sum(dy, 0); // [C]
      const positions = x.shape[0]!;
      const common = tf.add(tf.mul(normal, tf.div(dWeight, positions)), tf.div(dBias, positions));
      return [tf.mul(tf.sub(dy, common), tf.mul(inverse!, weight)), dWeight, dBias];
    }) as [tf.Tensor, tf.Tensor, tf.Tensor],

  leakyGradient: (dy, output, negativeSlope) =>
    tf.tidy(() => tf.where(tf.greater(output, 0), dy, tf.mul(dy, negativeSlope))),
};

function attributes({ strides, padding }: ConvolutionGeometry) {
  return { strides: [...strides], pad: padding };
}

function run(kernel: string, inputs: Record<string, tf.Tensor>, attrs: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
}
