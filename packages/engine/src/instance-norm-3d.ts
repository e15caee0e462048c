import * as tf from '@tensorflow/tfjs-core';
import { asRows } from './convolution-3d.js';
import { volumeKernels } from './volume-kernels.js';

export interface InstanceNorm3dOptions {
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** Slope of a leaky ReLU after the norm for what is below 0; 0 is ReLU, 1 leaves the norm as it is. Default 1. */
  negativeSlope?: number;
}

/**
 * `torch.nn.functional.instance_norm` (Ulyanov et al. 2016: each channel of each sample to mean 0 and variance 1, the
 * biased one, then weight and bias) and, with `negativeSlope`, the leaky ReLU that follows it in nnU-Net, as one
 * differentiable operation. Like `conv3d`, its gradient frees what it used.
 *
 * @param x [B, D, H, W, C]
 * @param weight [C]
 * @param bias [C]
 * @example
 * const features = instanceNorm3d(convolved, scale, shift, { negativeSlope: 0.01 });
 */
export function instanceNorm3d(
  x: tf.Tensor5D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  { epsilon = 1e-5, negativeSlope = 1 }: InstanceNorm3dOptions = {},
): tf.Tensor5D {
  const kernels = volumeKernels();
  if (kernels.normaliseBatch && tf.engine().state.gradientDepth === 0)
    return kernels.normaliseBatch(x, weight, bias, epsilon, negativeSlope) as tf.Tensor5D;
  const isLinear = negativeSlope === 1;
  const withGradient = tf.customGrad((...given) => {
    const save = given[3] as unknown as tf.GradSaveFunc;
    const samples = tf.split(x, x.shape[0], 0); // [1, D, H, W, C]
    const normalised = samples.map((sample) => kernels.normalise(asRows(sample), weight, bias, epsilon));
    const joined =
      normalised.length === 1 ? normalised[0]!.output : tf.concat(normalised.map(({ output }) => output));
    const value = tf.reshape(isLinear ? joined : tf.leakyRelu(joined, negativeSlope), x.shape);
    const each = normalised[0]!.statistics.length;
    save([x, weight, ...(isLinear ? [] : [value]), ...normalised.flatMap(({ statistics }) => statistics)]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [input, scale] = saved as [tf.Tensor, tf.Tensor1D];
        const output = isLinear ? undefined : saved[2];
        const statistics = saved.slice(isLinear ? 2 : 3);
        const gradients = tf.tidy(() => {
          const dNormal = output ? kernels.leakyGradient(dy, output, negativeSlope) : dy;
          const dSamples = tf.split(dNormal, input.shape[0]!, 0);
          const parts = tf
            .split(input, input.shape[0]!, 0)
            .map((sample, index) =>
              kernels.normaliseGradient(
                asRows(dSamples[index]!),
                asRows(sample),
                scale,
                statistics.slice(index * each, (index + 1) * each),
                epsilon,
              ),
            );
          const [dx, dWeights, dBiases] = ([0, 1, 2] as const).map((part) => parts.map((of) => of[part]));
          return [tf.reshape(tf.concat(dx!), input.shape), tf.addN(dWeights!), tf.addN(dBiases!)];
        });
        tf.dispose(saved);
        return gradients;
      },
    };
  });
  return withGradient(x, weight, bias) as tf.Tensor5D;
}
