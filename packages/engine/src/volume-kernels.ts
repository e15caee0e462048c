import type * as tf from '@tensorflow/tfjs-core';
import { portableVolumeKernels } from './portable-volume-kernels.js';

export type Triple = readonly [number, number, number];

/** A convolution as every backend understands it: what padding there is besides 'same' is in the input already. */
export interface ConvolutionGeometry {
  readonly strides: Triple;
  readonly dilations: Triple;
  /** TensorFlow's 'same': the odd element goes to the end. */
  readonly padding: 'same' | 'valid';
}

/** One sample scaled to mean 0 and variance 1 a channel, and what its gradient needs besides the sample itself. */
export interface NormalisedSample {
  readonly output: tf.Tensor;
  readonly statistics: tf.Tensor[];
}

/** The operations under the differentiable ones of this package. None of them has a gradient of its own. */
export interface VolumeKernels {
  /** Whether the convolutions take dilations other than 1. */
  readonly dilates: boolean;
  /** @param x [B, D, H, W, in] @param filter [kd, kh, kw, in, out] @returns [B, d, h, w, out] */
  convolve(x: tf.Tensor, filter: tf.Tensor, geometry: ConvolutionGeometry): tf.Tensor;
  /** d convolve / d x */
  inputGradient(
    dy: tf.Tensor,
    filter: tf.Tensor,
    inputShape: readonly number[],
    geometry: ConvolutionGeometry,
  ): tf.Tensor;
  /** d convolve / d filter */
  filterGradient(
    x: tf.Tensor,
    dy: tf.Tensor,
    filterShape: readonly number[],
    geometry: ConvolutionGeometry,
  ): tf.Tensor;
  /** @param x [positions, C], one sample */
  normalise(x: tf.Tensor, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon: number): NormalisedSample;
  /** @returns the gradients of x, weight and bias */
  normaliseGradient(
    dy: tf.Tensor,
    x: tf.Tensor,
    weight: tf.Tensor1D,
    statistics: readonly tf.Tensor[],
    epsilon: number,
  ): [tf.Tensor, tf.Tensor, tf.Tensor];
  /** Normalisation and leaky ReLU of whole batches in one kernel, for where no gradient is wanted. */
  normaliseBatch?(
    x: tf.Tensor5D,
    weight: tf.Tensor1D,
    bias: tf.Tensor1D,
    epsilon: number,
    negativeSlope: number,
  ): tf.Tensor;
  /** dy where the output is positive, negativeSlope * dy elsewhere. */
  leakyGradient(dy: tf.Tensor, output: tf.Tensor, negativeSlope: number): tf.Tensor;
}

let native: VolumeKernels | undefined;

/** Called when a backend has started or ended. */
export function setVolumeKernels(found: VolumeKernels | undefined): void {
  native = found;
}

export function volumeKernels(): VolumeKernels {
  return native ?? portableVolumeKernels;
}
