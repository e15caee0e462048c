import { leakySum } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { type BlockShape, convolutionBlock, type Layer } from './convolution-block.js';
import type { UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';

/**
 * BasicBlockD: two convolution blocks, the second without activation, added to the input and activated. Where the block
 * strides, the input is average-pooled, and where it changes the number of features, projected (ResNet-D, He et al. 2019).
 */
export function residualBlock(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  { name, inputs, outputs, kernel, stride = [1, 1, 1] }: BlockShape,
): Layer {
  const { negativeSlope } = architecture;
  const pools = stride.some((step) => step > 1);
  const first = convolutionBlock(weights, architecture, {
    name: `${name}.conv1`,
    inputs,
    outputs,
    kernel,
    stride,
  });
  const second = convolutionBlock(weights, architecture, {
    name: `${name}.conv2`,
    inputs: outputs,
    outputs,
    kernel,
    negativeSlope: 1,
  });
  const projection =
    inputs === outputs
      ? undefined
      : convolutionBlock(weights, architecture, {
          name: `${name}.skip.${pools ? 1 : 0}`,
          inputs,
          outputs,
          kernel: [1, 1, 1],
          bias: false,
          negativeSlope: 1,
        });
  return {
    variables: [first, second, projection].flatMap((layer) => layer?.variables ?? []),
    forward(x) {
      const hidden = first.forward(x);
      const out = second.forward(hidden);
      hidden.dispose();
      const pooled = pools ? tf.avgPool3d(x, [...stride], [...stride], 'valid') : x;
      const skip = projection ? projection.forward(pooled) : pooled;
      const sum = leakySum(out, skip, negativeSlope);
      for (const used of new Set([out, pooled, skip])) if (used !== x) used.dispose();
      return sum;
    },
  };
}
