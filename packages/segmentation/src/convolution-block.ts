import { conv3d, instanceNorm3d } from '@onco-response/engine';
import type * as tf from '@tensorflow/tfjs-core';
import type { Triple, UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';

/** A part of a network. `forward` leaves its input alone and frees what it makes on the way. */
export interface Layer {
  /** @param x [B, D, H, W, C], in two dimensions with D = 1 */
  forward(x: tf.Tensor5D): tf.Tensor5D;
  /** What an optimiser may change. */
  readonly variables: readonly tf.Variable[];
}

export interface BlockShape {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Triple;
  readonly stride?: Triple;
  readonly bias?: boolean;
  /** Default that of the architecture; 1 is no activation. */
  readonly negativeSlope?: number;
  /** The network's input needs no gradient. Default false. */
  readonly isFirst?: boolean;
}

/**
 * Convolution, instance norm, leaky ReLU (ConvDropoutNormReLU without dropout, which inference does not have). The
 * norm takes away whatever the convolution's bias adds: it is read, kept for writing the weights, and not computed.
 */
export function convolutionBlock(
  weights: UNetWeights,
  { epsilon, negativeSlope: usual, convolutionBias }: UNetArchitecture,
  shape: BlockShape,
): Layer {
  const { name, inputs, outputs, kernel, stride = [1, 1, 1], negativeSlope = usual, isFirst = false } = shape;
  const { filter } = weights.convolution(
    `${name}.conv`,
    inputs,
    outputs,
    kernel,
    shape.bias ?? convolutionBias,
  );
  const { scale, shift } = weights.norm(`${name}.norm`, outputs);
  return {
    variables: [filter, scale, shift],
    forward(x) {
      const convolved = conv3d(x, filter as tf.Tensor5D, undefined, {
        strides: stride,
        padding: kernel.map((size) => Math.floor((size - 1) / 2)) as unknown as Triple,
        inputGradient: !isFirst,
      });
      const output = instanceNorm3d(convolved, scale as tf.Tensor1D, shift as tf.Tensor1D, {
        epsilon,
        negativeSlope,
      });
      convolved.dispose();
      return output;
    },
  };
}

/** One after another; what lies between two layers is freed. */
export function inSequence(layers: readonly Layer[]): Layer {
  return {
    variables: layers.flatMap(({ variables }) => variables),
    forward(x) {
      let current = x;
      for (const layer of layers) {
        const next = layer.forward(current);
        if (current !== x) current.dispose();
        current = next;
      }
      return current;
    },
  };
}
