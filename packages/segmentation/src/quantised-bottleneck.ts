import { conv3d, type RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { residualBlock } from './residual-block.js';
import type { Codebook, UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';
import { type Quantised, quantise } from './vector-quantisation.js';

/** What lies between encoder and decoder of a vector-quantised U-Net. */
export interface QuantisedBottleneck {
  /** @param bottleneck [B, d, h, w, features of the last stage] */
  quantise(bottleneck: tf.Tensor5D): Quantised;
  /** Makes vectors of this bottleneck the codebook, drawn at random with a little noise. */
  start(bottleneck: tf.Tensor5D, random: RandomStream): void;
  /** @param features that `quantise` gave @returns [B, d, h, w, features of the last stage] */
  decode(features: tf.Tensor5D): tf.Tensor5D;
  readonly variables: readonly tf.Variable[];
}

/** Of the features' standard deviation: no two vectors are alike where positions are fewer than vectors. */
const START_NOISE = 0.1;

/**
 * 1x1 convolution, codebook, 1x1 convolution and a residual block, as the reference's VQUNet. The block is nnU-Net's
 * (instance norm, leaky ReLU at its end) where the reference has a pre-activation block with group norm and swish.
 */
export function quantisedBottleneck(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  { size, features, commitment }: Codebook,
): QuantisedBottleneck {
  const channels = architecture.features.at(-1)!;
  const before = weights.convolution('quantiser.before', channels, features, [1, 1, 1], true);
  const codebook = weights.codebook('quantiser.codebook', size, features);
  const after = weights.convolution('quantiser.after', features, channels, [1, 1, 1], true);
  const block = residualBlock(weights, architecture, {
    name: 'quantiser.block',
    inputs: channels,
    outputs: channels,
    kernel: architecture.kernels.at(-1)!,
  });
  const encode = (bottleneck: tf.Tensor5D): tf.Tensor5D =>
    conv3d(bottleneck, before.filter as tf.Tensor5D, before.bias as tf.Tensor1D);
  return {
    variables: [before.filter, before.bias!, codebook, after.filter, after.bias!, ...block.variables],
    quantise(bottleneck) {
      const z = encode(bottleneck);
      const quantised = quantise(z, codebook as tf.Tensor2D, commitment);
      z.dispose();
      return quantised;
    },
    start: (bottleneck, random) =>
      tf.tidy(() => {
        const rows = tf.reshape(encode(bottleneck), [-1, features]); // [positions, features]
        const drawn = Int32Array.from({ length: size }, () => random.integer(rows.shape[0]!));
        const noise = Float32Array.from({ length: size * features }, () => random.normal());
        const { variance } = tf.moments(rows, 0);
        const spread = tf.mul(tf.sqrt(variance), START_NOISE);
        const chosen = tf.gather(rows, tf.tensor1d(drawn, 'int32'));
        codebook.assign(tf.add(chosen, tf.mul(tf.tensor2d(noise, [size, features]), spread)));
      }),
    decode: (quantised) =>
      tf.tidy(() => block.forward(conv3d(quantised, after.filter as tf.Tensor5D, after.bias as tf.Tensor1D))),
  };
}
