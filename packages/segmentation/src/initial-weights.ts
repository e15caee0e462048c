import type { RandomStream } from '@onco-response/engine';

/** The slope that nnU-Net initialises for, whatever the network's activation is. */
const NEGATIVE_SLOPE = 0.01;

/**
 * A tensor of an untrained U-Net, as nnU-Net initialises it: filters as He et al. 2015 (normal, variance
 * 2 / (1 + slope^2) / (shape[1] x filter elements), as torch counts a fan), biases 0, norms the identity; the second norm
 * of a residual block 0, so that the block begins as the identity. A codebook is uniform within 1 / size.
 *
 * @param name in the state dict; each name has a random stream of its own
 * @param shape in torch's order
 */
export function initialWeight(name: string, shape: readonly number[], random: RandomStream): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (name.endsWith('.codebook.weight')) {
    const stream = random.fork(name);
    return Float32Array.from({ length: count }, () => (2 * stream.uniform() - 1) / shape[0]!);
  }
  if (shape.length > 1) {
    const deviation = Math.sqrt(2 / (1 + NEGATIVE_SLOPE ** 2) / (count / shape[0]!));
    const stream = random.fork(name);
    return Float32Array.from({ length: count }, () => deviation * stream.normal());
  }
  const isScale = name.endsWith('.norm.weight') && !name.endsWith('.conv2.norm.weight');
  return new Float32Array(count).fill(isScale ? 1 : 0);
}
