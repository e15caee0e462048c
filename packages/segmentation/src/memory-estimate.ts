import { countOf, type Shape3 } from './array-shape.js';
import { type NetworkGrid, preprocessingBytes } from './preprocess.js';
import { TileSum } from './tile-sum.js';

export interface MemoryNeeds {
  readonly grid: NetworkGrid;
  readonly tile: Shape3;
  /** Of the given volumes. */
  readonly voxels: number;
  readonly channels: number;
  readonly outputs: number;
  /** Sums of tiles that are kept: the folds, or 1 where they share one. */
  readonly sums: number;
  /** Features of the network's first stage, the widest in memory. */
  readonly features: number;
  readonly cascade: boolean;
  readonly probabilities: boolean;
  readonly postprocessing: boolean;
}

/** A U-Net holds its first stage's skip while the decoder makes it again, with what convolutions need to work. */
const LAYERS_AT_ONCE = 12;

/** Bytes that segmenting takes besides the volumes and the weights: the sizes of its arrays, and of the activations. */
export function memoryEstimate(needs: MemoryNeeds): number {
  const { grid, tile, voxels, outputs } = needs;
  const [, height, width] = grid.shape.map((size, axis) => Math.max(size, tile[axis]!)) as unknown as Shape3;
  const sum = TileSum.bytes(tile[0], height, width, outputs, needs.sums);
  const planes = (4 + 4 + 8) * height * width * outputs; // a plane of logits, the one before, their mixture
  const activations = LAYERS_AT_ONCE * 4 * countOf(tile) * Math.max(needs.features, outputs);
  // components of a mask: its part, their labels
  const result = voxels * (1 + (needs.probabilities ? 4 * outputs : 0) + (needs.postprocessing ? 5 : 0));
  return preprocessingBytes(grid, needs.channels, needs.cascade) + sum + planes + activations + result;
}
