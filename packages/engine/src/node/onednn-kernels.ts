import * as tf from '@tensorflow/tfjs-core';
import type { FusedKernels } from '../fused-kernels.js';

/** What is used of tfjs-node's backend. */
export interface NativeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: object[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/**
 * oneDNN's fused kernels of libtensorflow, which tfjs has no name for. They need an addon that passes lists of strings
 * (tooling/native compiles one), and oneDNN on: both are found out by computing something small.
 *
 * @returns undefined where they do not run or do not give the right numbers
 */
export function oneDnnKernels(backend: NativeBackend): FusedKernels | undefined {
  const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_STRING, TF_FLOAT } =
    backend.binding;
  const attribute = (name: string, type: number | undefined, value: unknown) => ({ name, type, value });
  const kernels: FusedKernels = {
    affine: (x, weight, bias, activation) =>
      backend.executeSingleOutput(
        '_MklNativeFusedMatMul',
        [
          attribute('transpose_a', TF_ATTR_BOOL, false),
          attribute('transpose_b', TF_ATTR_BOOL, true),
          attribute('T', TF_ATTR_TYPE, TF_FLOAT),
          attribute('num_args', TF_ATTR_INT, 1),
          attribute('fused_ops', TF_ATTR_STRING, activation ? ['BiasAdd', 'GeluExact'] : ['BiasAdd']),
          attribute('_kernel', TF_ATTR_STRING, 'MklNameChangeOp'), // the label its kernel is registered under
        ],
        [x, weight, bias],
      ) as tf.Tensor2D,
    layerNorm: (x, weight, bias, epsilon) =>
      backend.executeSingleOutput(
        '_MklLayerNorm',
        [
          attribute('T', TF_ATTR_TYPE, TF_FLOAT),
          attribute('epsilon', TF_ATTR_FLOAT, epsilon),
          attribute('_kernel', TF_ATTR_STRING, ''), // registered without one, though eager mode would ask for it
        ],
        [x, weight, bias],
      ),
  };
  try {
    return isRight(kernels) ? kernels : undefined;
  } catch {
    return undefined; // an addon without lists of strings, or a library without oneDNN
  }
}

/** gelu(1 * 2 - 1) = Phi(1), and the rows' normal form of [0, 2] is [-1, 1]. */
function isRight(kernels: FusedKernels): boolean {
  return tf.tidy(() => {
    const [gelu] = kernels
      .affine(tf.tensor2d([[1]]), tf.tensor2d([[2]]), tf.tensor1d([-1]), 'gelu')
      .dataSync();
    const [low, high] = kernels
      .layerNorm(tf.tensor2d([[0, 2]]), tf.tensor1d([1, 1]), tf.tensor1d([0, 0]), 0)
      .dataSync();
    const errors = [gelu! - 0.8413447, low! + 1, high! - 1];
    return errors.every((error) => Math.abs(error) < 1e-5);
  });
}
