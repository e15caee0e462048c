import { convolutionBlock, inSequence, type Layer } from './convolution-block.js';
import { residualBlock } from './residual-block.js';
import type { UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';

/** A stem, then stages of residual blocks, the first of each stage strided (Isensee et al. 2024; ResidualEncoder). */
export function residualEncoder(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  inputChannels: number,
): Layer[] {
  const { features, kernels, strides, encoderBlocks, stemFeatures } = architecture;
  const stem = convolutionBlock(weights, architecture, {
    name: 'encoder.stem.convs.0',
    inputs: inputChannels,
    outputs: stemFeatures,
    kernel: kernels[0]!,
    isFirst: true,
  });
  return features.map((outputs, stage) => {
    const blocks = Array.from({ length: encoderBlocks[stage]! }, (_, block) =>
      residualBlock(weights, architecture, {
        name: `encoder.stages.${stage}.blocks.${block}`,
        inputs: block > 0 ? outputs : (features[stage - 1] ?? stemFeatures),
        outputs,
        kernel: kernels[stage]!,
        stride: block > 0 ? [1, 1, 1] : strides[stage]!,
      }),
    );
    return inSequence(stage === 0 ? [stem, ...blocks] : blocks);
  });
}
