import { conv3d, leakySum } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { convolutionBlock, type Layer } from './convolution-block.js';
import { resizeLinear } from './resize-linear.js';
import type { Triple, UNetArchitecture } from './unet-architecture.js';
import type { UNetWeights } from './unet-weights.js';

/** The gates of an Attention U-Net: one signal of the bottleneck weighs the voxels of every skip but the finest. */
export interface AttentionGates {
  /** @param bottleneck [B, d, h, w, features of the last stage] @returns [B, d, h, w, features of the stage above] */
  readonly signal: Layer;
  /** By stage of the encoder; none for the finest and the last. */
  readonly gates: ReadonlyMap<number, AttentionGate>;
}

export interface AttentionGate {
  /** @returns the weighted skip, of the same shape */
  forward(skip: tf.Tensor5D, signal: tf.Tensor5D): tf.Tensor5D;
  readonly variables: readonly tf.Variable[];
}

/** As the reference's network: a gating signal of 1x1 convolution, norm and ReLU. */
export function attentionGates(weights: UNetWeights, architecture: UNetArchitecture): AttentionGates {
  const { features, strides } = architecture;
  const last = features.length - 1;
  const [inputs, channels] = [features[last]!, features[last - 1]!];
  const signal = convolutionBlock(weights, architecture, {
    name: 'attention.signal',
    inputs,
    outputs: channels,
    kernel: [1, 1, 1],
    bias: false,
    negativeSlope: 0,
  });
  const gates = features.slice(1, last).map((count, index) => {
    const stage = index + 1;
    const gate = attentionGate(weights, architecture, `attention.gates.${stage}`, {
      features: count,
      channels,
      stride: strides[stage + 1]!,
    });
    return [stage, gate] as const;
  });
  return { signal, gates: new Map(gates) };
}

/**
 * Additive attention on a grid (Oktay et al. 2018, Attention U-Net; `_concatenation` of grid_attention_layer.py at
 * ozan-oktay/Attention-Gated-Networks@4a36328):
 * alpha = up(sigmoid(psi(ReLU(theta x + up(phi g))))), output norm(conv(alpha x)), with as many features inside as the skip
 * has. The norm is nnU-Net's instance norm where the reference has batch norm, for batches of two.
 *
 * @param stride of theta: that to the next stage, where the reference always halves
 */
function attentionGate(
  weights: UNetWeights,
  architecture: UNetArchitecture,
  name: string,
  { features, channels, stride }: { features: number; channels: number; stride: Triple },
): AttentionGate {
  const one: Triple = [1, 1, 1];
  const theta = weights.convolution(`${name}.theta`, features, features, stride, false);
  const phi = weights.convolution(`${name}.phi`, channels, features, one, true);
  const psi = weights.convolution(`${name}.psi`, features, 1, one, true);
  const output = convolutionBlock(weights, architecture, {
    name: `${name}.output`,
    inputs: features,
    outputs: features,
    kernel: one,
    bias: false, // the norm takes it away
    negativeSlope: 1,
  });
  return {
    variables: [
      ...[theta, phi, psi].flatMap(({ filter, bias }) => (bias ? [filter, bias] : [filter])),
      ...output.variables,
    ],
    forward: (skip, signal) =>
      tf.tidy(() => {
        const coarse = conv3d(skip, theta.filter as tf.Tensor5D, undefined, {
          strides: stride,
          padding: [0, 0, 0],
        }); // [B, d, h, w, features]
        const gating = conv3d(signal, phi.filter as tf.Tensor5D, phi.bias as tf.Tensor1D);
        const joined = leakySum(coarse, resizeLinear(gating, sizeOf(coarse)), 0);
        const score = tf.sigmoid(conv3d(joined, psi.filter as tf.Tensor5D, psi.bias as tf.Tensor1D)); // [B, d, h, w, 1]
        const alpha = resizeLinear(score as tf.Tensor5D, sizeOf(skip)); // [B, D, H, W, 1]
        return output.forward(tf.mul(skip, alpha));
      }),
  };
}

const sizeOf = (x: tf.Tensor5D): Triple => x.shape.slice(1, 4) as unknown as Triple;
