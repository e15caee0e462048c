import { convolutionBlock, inSequence, type Layer } from './convolution-block.js';
import type { UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';

/** Stages of convolution blocks, the first of each stage strided (Isensee et al. 2021; PlainConvEncoder). */
export function plainEncoder(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  inputChannels: number,
): Layer[] {
  const { features, kernels, strides, encoderBlocks } = architecture;
  return features.map((outputs, stage) =>
    inSequence(
      Array.from({ length: encoderBlocks[stage]! }, (_, block) =>
        convolutionBlock(weights, architecture, {
          name: `encoder.stages.${stage}.0.convs.${block}`,
          inputs: block > 0 ? outputs : (features[stage - 1] ?? inputChannels),
          outputs,
          kernel: kernels[stage]!,
          stride: block > 0 ? [1, 1, 1] : strides[stage]!,
          isFirst: stage === 0 && block === 0,
        }),
      ),
    ),
  );
}
