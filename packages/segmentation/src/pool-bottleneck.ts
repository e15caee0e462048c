import * as tf from '@tensorflow/tfjs-core';
import { countOf, type Shape3 } from './array-shape.js';
import type { SegmentationNetwork } from './network.js';
import { cutTile, type InputChannel, tileGrid } from './sliding-window.js';
import { type CodebookUsage, codebookUsage } from './vector-quantisation.js';

export interface PooledBottleneck {
  /** One number a feature of the bottleneck. */
  readonly features: Float32Array;
  /** Of a vector-quantised network: which vectors of its codebook the same voxels have. */
  readonly codebook?: CodebookUsage;
}

export interface BottleneckWindow {
  readonly network: SegmentationNetwork;
  readonly channels: readonly InputChannel[];
  readonly shape: Shape3;
  readonly tile: Shape3;
  /** Voxels that are not 0 count; all of them without. */
  readonly region: ArrayLike<number> | undefined;
  /** Of a vector-quantised network: its codebook's vectors, or what they were made of. */
  readonly features: 'quantised' | 'encoded';
  readonly step: number;
  readonly signal?: AbortSignal | undefined;
  readonly onTile?: ((done: number, total: number) => void) | undefined;
}

/**
 * The mean of a network's bottleneck over an image, tile by tile. Each position of the bottleneck stands for the block of
 * voxels that the strides make it of, and counts as many voxels as it has in the image (and the region); where tiles
 * overlap, they share a voxel evenly. Tiles without such a voxel are not run.
 */
export async function poolBottleneck(window: BottleneckWindow): Promise<PooledBottleneck> {
  const { network, channels, shape, tile } = window;
  const { padded, before, steps } = tileGrid(shape, tile, network.dimensions, window.step);
  const sides = network.dimensions === 2 ? tile.slice(1) : [...tile];
  const block = [1, ...network.divisor].slice(-3) as unknown as Shape3;
  const cover = steps.map((starts, axis) => coverage(starts, tile[axis]!, padded[axis]!));
  const starts = steps[0].flatMap((z) =>
    steps[1].flatMap((y) => steps[2].map((x): Shape3 => [z - before[0], y - before[1], x - before[2]])),
  );
  let sum: Float64Array | undefined;
  let counts: Float64Array | undefined;
  let weight = 0;
  for (const [done, start] of starts.entries()) {
    window.signal?.throwIfAborted();
    const weights = blockWeights(window, block, start, before, cover);
    const total = weights.reduce((all, each) => all + each, 0);
    if (total > 0) {
      const input = cutTile(channels, shape, tile, start);
      const { mean, codes, size } = tf.tidy(() => {
        const patch = tf.tensor(input, [1, ...sides, network.inputChannels]);
        const coded = network.quantisedBottleneck?.(patch);
        const given = window.features === 'encoded' ? coded?.encoded : coded?.features;
        const features = given ?? network.bottleneck(patch); // [1, (d,) h, w, C]
        const rows = tf.reshape(features, [weights.length, -1]) as tf.Tensor2D;
        const mean = tf.matMul(tf.tensor2d(weights, [1, weights.length]), rows); // [1, C]
        return { mean, codes: coded?.codes, size: coded?.codebookSize ?? 0 };
      });
      const values = await mean.data();
      const found = await codes?.data();
      tf.dispose(codes ? [mean, codes] : [mean]);
      sum ??= new Float64Array(values.length);
      for (let at = 0; at < values.length; at++) sum[at]! += values[at]!;
      if (found) {
        counts ??= new Float64Array(size);
        for (const [at, code] of found.entries()) counts[code]! += weights[at]!;
      }
      weight += total;
    }
    window.onTile?.(done + 1, starts.length);
  }
  return {
    features: Float32Array.from(sum ?? [], (value) => value / weight),
    ...(counts && { codebook: codebookUsage(counts) }),
  };
}

/** How many tiles reach each place along an axis. */
function coverage(starts: readonly number[], tile: number, padded: number): Float64Array {
  const counts = new Float64Array(padded);
  for (const start of starts) for (let at = start; at < start + tile; at++) counts[at]! += 1;
  return counts;
}

/** How many voxels each position of the bottleneck stands for, in its order. */
function blockWeights(
  { shape, tile, region }: BottleneckWindow,
  block: Shape3,
  start: Shape3,
  before: Shape3,
  cover: readonly Float64Array[],
): Float32Array {
  const positions = tile.map((side, axis) => side / block[axis]!) as unknown as Shape3;
  const weights = new Float32Array(countOf(positions));
  const [z, y, x] = start;
  const inside = (axis: 0 | 1 | 2) =>
    [Math.max(0, -start[axis]), Math.min(tile[axis], shape[axis] - start[axis])] as const;
  const [alongZ, alongY, alongX] = [inside(0), inside(1), inside(2)];
  for (let i = alongZ[0]; i < alongZ[1]; i++) {
    for (let j = alongY[0]; j < alongY[1]; j++) {
      const row = ((z + i) * shape[1] + y + j) * shape[2] + x;
      const tiles = cover[0]![z + i + before[0]]! * cover[1]![y + j + before[1]]!;
      const to = (Math.floor(i / block[0]) * positions[1] + Math.floor(j / block[1])) * positions[2];
      for (let k = alongX[0]; k < alongX[1]; k++) {
        if (region && region[row + k] === 0) continue;
        weights[to + Math.floor(k / block[2])]! += 1 / (tiles * cover[2]![x + k + before[2]]!);
      }
    }
  }
  return weights;
}
