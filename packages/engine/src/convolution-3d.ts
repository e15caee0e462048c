import * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionPlan, extent, planConvolution } from './convolution-geometry.js';
import { dilateFilter, undilateFilter } from './dilated-filter.js';
import { EngineError } from './engine-error.js';
import { type Triple, volumeKernels } from './volume-kernels.js';
import { cropVolume, padVolume } from './volume-margins.js';

export interface Convolution3dOptions {
  /** Default [1, 1, 1]. */
  strides?: Triple;
  /** Distance of a filter's elements from each other. Default [1, 1, 1]. */
  dilations?: Triple;
  /**
   * Zeros before and after each axis, as in PyTorch. 'same' is dilation * (size - 1) / 2, rounded down, which keeps the
   * size of the input for odd filters and stride 1. Default 'same'.
   */
  padding?: Triple | 'same';
  /** False where the input is data: the gradient of a first layer's input is a fifth of its step. Default true. */
  inputGradient?: boolean;
}

const ONES: Triple = [1, 1, 1];

/**
 * A 3D cross-correlation with the numbers of `torch.nn.functional.conv3d`, channels last, differentiable with respect to
 * input, filter and bias on every backend. The gradient frees what it has used, so that a backward pass needs no more
 * memory than the forward pass left behind: it can be taken once for each forward pass.
 *
 * A [B, H, W, C] image is a volume [B, 1, H, W, C] with a filter [1, kh, kw, in, out].
 *
 * @param x [B, D, H, W, in]
 * @param filter [kd, kh, kw, in, out]: torch's weight [out, in, kd, kh, kw] with its axes moved by (2, 3, 4, 1, 0)
 * @param bias [out], or undefined
 * @returns [B, d, h, w, out]
 * @throws EngineError INVALID_ARGUMENT where shapes do not fit each other
 * @example
 * const features = conv3d(volume, filter, bias, { strides: [1, 2, 2] });
 */
export function conv3d(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D | undefined,
  { strides = ONES, dilations = ONES, padding = 'same', inputGradient = true }: Convolution3dOptions = {},
): tf.Tensor5D {
  checkChannels(x.shape[4], filter.shape[3]!, filter);
  const filterSizes = filter.shape.slice(0, 3) as unknown as Triple;
  const margins = padding === 'same' ? samePadding(filterSizes, dilations) : padding;
  const plan = planConvolution(spatial(x), filterSizes, strides, dilations, margins);
  const isPointwise = [...filterSizes, ...strides].every((size) => size === 1) && !plan.margins;
  const layer = isPointwise ? pointwise : convolution(plan);

  const inputs = [...(inputGradient ? [x] : []), filter, ...(bias ? [bias] : [])];
  const withGradient = tf.customGrad((...given) => {
    const save = given[inputs.length] as tf.GradSaveFunc;
    const value = tf.tidy(() => {
      const product = layer.forward(x, filter);
      return bias ? tf.add(product, bias) : product;
    });
    save([x, filter]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [input, weight] = saved as [tf.Tensor5D, tf.Tensor5D];
        const gradients = [
          ...(inputGradient ? [layer.inputGradient(dy, weight, input.shape)] : []),
          layer.filterGradient(input, dy, weight.shape),
          ...(bias ? [sumOverPositions(dy)] : []),
        ];
        tf.dispose(saved);
        return gradients;
      },
    };
  });
  return withGradient(...inputs) as tf.Tensor5D;
}

/** The three products of a layer that is linear in its input and in its filter. */
interface LinearLayer {
  forward(x: tf.Tensor, filter: tf.Tensor): tf.Tensor;
  inputGradient(dy: tf.Tensor, filter: tf.Tensor, inputShape: number[]): tf.Tensor;
  filterGradient(x: tf.Tensor, dy: tf.Tensor, filterShape: number[]): tf.Tensor;
}

/** A filter of one element is a product of matrices. */
const pointwise: LinearLayer = {
  forward: (x, filter) =>
    tf.tidy(() =>
      tf.reshape(tf.matMul(asRows(x), asMatrix(filter)), [...x.shape.slice(0, 4), filter.shape[4]!]),
    ),
  inputGradient: (dy, filter, inputShape) =>
    tf.tidy(() => tf.reshape(tf.matMul(asRows(dy), asMatrix(filter), false, true), inputShape)),
  filterGradient: (x, dy, filterShape) =>
    tf.tidy(() => tf.reshape(tf.matMul(asRows(x), asRows(dy), true, false), filterShape)),
};

function convolution({ margins, geometry }: ConvolutionPlan): LinearLayer {
  const kernels = volumeKernels();
  const { dilations } = geometry;
  const emulates = !kernels.dilates && dilations.some((dilation) => dilation > 1);
  const known = emulates ? { ...geometry, dilations: ONES } : geometry;
  const spread = (filter: tf.Tensor) => (emulates ? dilateFilter(filter, dilations) : filter);
  const sizes = (shape: readonly number[]) =>
    emulates ? shape.map((size, axis) => (axis < 3 ? extent(size, dilations[axis]!) : size)) : shape;
  return {
    forward: (x, filter) => tf.tidy(() => kernels.convolve(padVolume(x, margins), spread(filter), known)),
    inputGradient: (dy, filter, inputShape) =>
      tf.tidy(() => {
        const padded = inputShape.map((size, axis) => {
          const margin = margins?.[axis - 1];
          return margin ? size + margin[0] + margin[1] : size;
        });
        return cropVolume(kernels.inputGradient(dy, spread(filter), padded, known), margins, inputShape);
      }),
    filterGradient: (x, dy, filterShape) =>
      tf.tidy(() => {
        const gradient = kernels.filterGradient(padVolume(x, margins), dy, sizes(filterShape), known);
        return emulates ? undilateFilter(gradient, dilations) : gradient;
      }),
  };
}

/** [B, d, h, w, C] -> [C]. A product with ones takes a fifth of the time of TensorFlow's sum over leading axes. */
export function sumOverPositions(dy: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const rows = asRows(dy);
    return tf.reshape(tf.matMul(tf.ones([1, rows.shape[0]]), rows), [-1]);
  });
}

/** [B, d, h, w, C] -> [positions, C] */
export function asRows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}

export function spatial(x: tf.Tensor): Triple {
  return x.shape.slice(1, 4) as unknown as Triple;
}

export function checkChannels(found: number, expected: number, filter: tf.Tensor): void {
  if (found === expected) return;
  throw new EngineError({
    code: 'INVALID_ARGUMENT',
    message: `the input has ${found} channels, the filter [${filter.shape}] is for ${expected}`,
  });
}

function asMatrix(filter: tf.Tensor): tf.Tensor2D {
  return tf.reshape(filter, filter.shape.slice(3) as [number, number]);
}

function samePadding(sizes: Triple, dilations: Triple): Triple {
  return sizes.map((size, axis) => Math.floor((dilations[axis]! * (size - 1)) / 2)) as unknown as Triple;
}
