import { countOf } from './array-shape.js';
import type { NetworkTopology } from './network-topology.js';

/**
 * Elements of all feature maps of a PlainConvUNet with two convolutions a stage, for one patch: what nnU-Net measures
 * memory by (`compute_conv_feature_map_size` of dynamic_network_architectures, with the logits of the finest stage).
 */
export function featureMapSize(
  { strides, patch }: NetworkTopology,
  features: readonly number[],
  outputs: number,
): number {
  let total = 0;
  let size = [...patch];
  const sizes = strides.map((stride, stage) => {
    size = size.map((side, axis) => Math.floor(side / stride[axis]!));
    total += CONVOLUTIONS * features[stage]! * countOf(size);
    return size;
  });
  // the decoder's stages have the sizes of the encoder's but the last: two convolutions and a transposed one each
  for (const [stage, sides] of sizes.slice(0, -1).entries()) {
    total += (CONVOLUTIONS + 1) * features[stage]! * countOf(sides);
  }
  return sizes.length > 1 ? total + outputs * countOf(sizes[0]!) : total;
}

/** In every stage of the encoder and of the decoder: nnU-Net's default. */
export const CONVOLUTIONS = 2;
