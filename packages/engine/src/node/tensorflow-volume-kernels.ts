import * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionGeometry, VolumeKernels } from '../volume-kernels.js';
import type { NativeBackend } from './onednn-kernels.js';

/**
 * libtensorflow's own operations, past tfjs: convolutions with dilation, batch normalisation with a gradient (an instance
 * norm, one sample at a time) and with oneDNN an instance norm with its activation. Measured on 2 cores of an AMD EPYC
 * with AVX2 (64^3 voxels, 32 channels): convolution 150 ms, instance norm 18 ms and its gradient 13 ms, where tfjs's own
 * moments alone take 26 ms.
 */
export function tensorflowVolumeKernels(backend: NativeBackend, gpu: boolean): VolumeKernels {
  const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_STRING, TF_FLOAT, TF_INT32 } =
    backend.binding;
  const attribute = (name: string, type: number | undefined, value: unknown) => ({ name, type, value });
  const float = attribute('T', TF_ATTR_TYPE, TF_FLOAT);
  const convolution = ({ strides, dilations, padding }: ConvolutionGeometry) => [
    float,
    attribute('strides', TF_ATTR_INT, [1, ...strides, 1]),
    attribute('padding', TF_ATTR_STRING, padding.toUpperCase()),
    attribute('data_format', TF_ATTR_STRING, 'NDHWC'),
    attribute('dilations', TF_ATTR_INT, [1, ...dilations, 1]),
  ];
  const batchNorm = (epsilon: number) => [
    float,
    attribute('U', TF_ATTR_TYPE, TF_FLOAT),
    attribute('epsilon', TF_ATTR_FLOAT, epsilon),
    attribute('data_format', TF_ATTR_STRING, 'NHWC'),
    attribute('is_training', TF_ATTR_BOOL, true),
  ];
  /** [B, D, H, W, C] -> [B D, 1, H, W, C] */
  const asSamples = (x: tf.Tensor) => tf.reshape(x, [-1, 1, ...x.shape.slice(2)]);
  /** [positions, C] as a batch of one image of one column. */
  const asImage = (x: tf.Tensor) => tf.reshape(x, [1, x.shape[0]!, 1, x.shape[1]!]);

  const kernels: VolumeKernels = {
    dilates: true,
    convolve: (x, filter, geometry) =>
      backend.executeSingleOutput('Conv3D', convolution(geometry), [x, filter]),

    inputGradient: (dy, filter, inputShape, geometry) =>
      tf.tidy(() =>
        backend.executeSingleOutput(
          'Conv3DBackpropInputV2',
          [...convolution(geometry), attribute('Tshape', TF_ATTR_TYPE, TF_INT32)],
          [tf.tensor1d([...inputShape], 'int32'), filter, dy],
        ),
      ),

    filterGradient: (x, dy, filterShape, geometry) =>
      tf.tidy(() => {
        // slices that a filter does not mix are samples: a third of the time of the same as one volume (22 for 60 ms)
        const apart = filterShape[0] === 1 && geometry.strides[0] === 1;
        return backend.executeSingleOutput('Conv3DBackpropFilterV2', convolution(geometry), [
          apart ? asSamples(x) : x,
          tf.tensor1d([...filterShape], 'int32'),
          apart ? asSamples(dy) : dy,
        ]);
      }),

    normalise: (x, weight, bias, epsilon) => {
      const [output, first, second, third] = tf.tidy(() => {
        const none = tf.tensor1d([]); // no running mean, no running variance
        const [y, , , ...reserved] = backend.executeMultipleOutputs(
          'FusedBatchNormV3',
          [...batchNorm(epsilon), attribute('exponential_avg_factor', TF_ATTR_FLOAT, 1)],
          [asImage(x), weight, bias, none, none],
          6,
        );
        return [tf.reshape(y!, x.shape), ...reserved];
      }) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      return { output, statistics: [first, second, third] };
    },

    normaliseGradient: (dy, x, weight, statistics, epsilon) =>
      tf.tidy(() => {
        const [dx, dWeight, dBias] = backend.executeMultipleOutputs(
          'FusedBatchNormGradV3',
          batchNorm(epsilon),
          [asImage(dy), asImage(x), weight, ...statistics],
          5,
        );
        return [tf.reshape(dx!, x.shape), dWeight!, dBias!];
      }) as [tf.Tensor, tf.Tensor, tf.Tensor],

    normaliseBatch: (x, weight, bias, epsilon, negativeSlope) =>
      backend.executeSingleOutput(
        '_MklFusedInstanceNorm',
        [
          float,
          attribute('epsilon', TF_ATTR_FLOAT, epsilon),
          attribute('reduction_axes', TF_ATTR_INT, [1, 2, 3]),
          attribute('fused_ops', TF_ATTR_STRING, ['LeakyRelu']),
          attribute('leakyrelu_alpha', TF_ATTR_FLOAT, negativeSlope),
          attribute('_kernel', TF_ATTR_STRING, ''), // registered without one, though eager mode would ask for it
        ],
        [x, weight, bias],
      ),

    leakyGradient: (dy, output, negativeSlope) =>
      backend.executeSingleOutput(
        'LeakyReluGrad',
        [float, attribute('alpha', TF_ATTR_FLOAT, negativeSlope)],
        [dy, output],
      ),
  };
  const { normaliseBatch, ...always } = kernels;
  const dilates = runs(() => isDilating(kernels));
  // on a card the fused norm would run on the CPU
  return !gpu && runs(() => isNormalising(normaliseBatch!))
    ? { ...kernels, dilates }
    : { ...always, dilates };
}

/** Whether a kernel is there and right is found out by computing something small. */
function runs(check: () => boolean): boolean {
  try {
    return tf.tidy(check);
  } catch {
    return false; // without oneDNN there is neither dilation on the CPU nor the fused instance norm
  }
}

/** The filter [1, 10, 100] over every second of 1, 2, 3, 4, 5 is 1 + 30 + 500. */
function isDilating(kernels: VolumeKernels): boolean {
  const x = tf.reshape(tf.tensor1d([1, 2, 3, 4, 5]), [1, 1, 1, 5, 1]);
  const filter = tf.reshape(tf.tensor1d([1, 10, 100]), [1, 1, 3, 1, 1]);
  const geometry = { strides: [1, 1, 1], dilations: [1, 1, 2], padding: 'valid' } as const;
  const dy = tf.ones([1, 1, 1, 1, 1]);
  const found = [
    ...kernels.convolve(x, filter, geometry).dataSync(),
    ...kernels.inputGradient(dy, filter, x.shape, geometry).dataSync(),
    ...kernels.filterGradient(x, dy, filter.shape, geometry).dataSync(),
  ];
  return String(found) === String([531, 1, 0, 10, 0, 100, 1, 3, 5]);
}

/** The normal form of [0, 2] is [-1, 1], and of -1 a leaky ReLU leaves a quarter. */
function isNormalising(normaliseBatch: NonNullable<VolumeKernels['normaliseBatch']>): boolean {
  const x = tf.reshape(tf.tensor1d([0, 2]), [1, 1, 1, 2, 1]) as tf.Tensor5D;
  const [low, high] = normaliseBatch(x, tf.tensor1d([1]), tf.tensor1d([0]), 1e-5, 0.25).dataSync();
  return Math.abs(low! + 0.25) < 1e-4 && Math.abs(high! - 1) < 1e-4;
}
