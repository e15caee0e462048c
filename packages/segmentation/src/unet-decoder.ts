import { conv3d, conv3dTranspose, joinChannels } from '@onco-response/engine';
import type * as tf from '@tensorflow/tfjs-core';
import { convolutionBlock, inSequence, type Layer } from './convolution-block.js';
import type { UNetArchitecture } from './unet-architecture.js';
import type { ConvolutionWeights, UNetWeights } from './unet-weights.js';

/** One step up: double the coarse features' size, join the encoder's of that size, convolve. */
export interface DecoderStage {
  /** @returns features [B, D, H, W, features of the skip] */
  forward(coarse: tf.Tensor5D, skip: tf.Tensor5D): tf.Tensor5D;
  /** @param features what `forward` gave @returns [B, D, H, W, classes] */
  logits(features: tf.Tensor5D): tf.Tensor5D;
  readonly variables: readonly tf.Variable[];
}

/** From coarse to fine (UNetDecoder). */
export function unetDecoder(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  classes: number,
): DecoderStage[] {
  const { features, kernels, strides, decoderBlocks, convolutionBias } = architecture;
  return decoderBlocks.map((blocks, stage) => {
    const from = features.length - 1 - stage; // the encoder stage below
    const [below, outputs, stride] = [features[from]!, features[from - 1]!, strides[from]!];
    const up = weights.transposedConvolution(
      `decoder.transpconvs.${stage}`,
      below,
      outputs,
      stride,
      convolutionBias,
    );
    const convolutions: Layer = inSequence(
      Array.from({ length: blocks }, (_, block) =>
        convolutionBlock(weights, architecture, {
          name: `decoder.stages.${stage}.convs.${block}`,
          inputs: block > 0 ? outputs : 2 * outputs,
          outputs,
          kernel: kernels[from - 1]!,
        }),
      ),
    );
    const head = weights.convolution(`decoder.seg_layers.${stage}`, outputs, classes, [1, 1, 1], true);
    return {
      variables: [...present(up), ...convolutions.variables, ...present(head)],
      forward(coarse, skip) {
        const raised = conv3dTranspose(coarse, up.filter as tf.Tensor5D, up.bias as tf.Tensor1D | undefined, {
          strides: stride,
        });
        const joined = joinChannels(raised, skip);
        raised.dispose();
        const output = convolutions.forward(joined);
        joined.dispose();
        return output;
      },
      logits: (x) => conv3d(x, head.filter as tf.Tensor5D, head.bias as tf.Tensor1D),
    };
  });
}

function present({ filter, bias }: ConvolutionWeights): tf.Variable[] {
  return bias ? [filter, bias] : [filter];
}
