import { type AxisTaps, axisTaps } from './axis-taps.js';
import type { Region } from './block.js';
import { checkGrid, checkNumber, checkVolume } from './check-volume.js';
import { gaussianRadius } from './gaussian.js';
import { indexMap } from './geometry.js';
import { spacedGrid } from './spaced-grid.js';
import type { Grid, Mat3, Vec3, Volume } from './types.js';
import { VolumeError } from './volume-error.js';

export type Interpolation = 'nearest' | 'linear' | 'bspline';

/** Where to resample to: a spacing in mm (same axes, same region), or the grid of another volume. */
export type ResampleTarget =
  | { readonly spacing: Vec3; readonly like?: undefined }
  | { readonly like: Grid; readonly spacing?: undefined };

export interface ResampleOptions {
  /** 'linear' unless given. */
  readonly interpolation?: Interpolation | undefined;
  /** Value of target voxels whose centre lies outside the source: 0 unless given. */
  readonly fill?: number | undefined;
  /** Blurs the source before it is sampled more coarsely: false unless given. */
  readonly antiAlias?: boolean | undefined;
}

/** Everything that decides a target voxel's value but the source's voxels; a plain object that workers can be sent. */
export interface ResamplePlan {
  readonly sourceSize: Vec3;
  readonly grid: Grid;
  /** From target to source indices. */
  readonly matrix: Mat3;
  readonly offset: Vec3;
  /** True where target and source axes run alike. */
  readonly aligned: boolean;
  readonly interpolation: Interpolation;
  readonly fill: number;
  /** Standard deviation of the low-pass along each source axis, in source voxels; 0 for none. */
  readonly sigma: Vec3;
}

/** Axes count as aligned when the far corner of the target moves less than this many source voxels. */
const ALIGNED_TOLERANCE = 1e-6;

/** A factor that is 1 but for rounding is no downsampling. */
const FACTOR_ROUNDING = 1e-6;

/** Checks what `resample` was given and says how it is done. */
export function planResample(
  volume: Volume,
  target: ResampleTarget,
  { interpolation = 'linear', fill = 0, antiAlias = false }: ResampleOptions,
): ResamplePlan {
  checkVolume(volume);
  checkNumber(fill, 'fill');
  if (!['nearest', 'linear', 'bspline'].includes(interpolation)) {
    refuse(
      `interpolation has to be 'nearest', 'linear' or 'bspline', found ${JSON.stringify(interpolation)}`,
    );
  }
  if (typeof antiAlias !== 'boolean') refuse(`antiAlias has to be true or false, found ${String(antiAlias)}`);
  if (antiAlias && interpolation === 'nearest') {
    refuse(
      "antiAlias blurs, and 'nearest' keeps labels as they are: use 'linear' or 'bspline', or leave it out",
    );
  }
  const grid = targetGrid(volume, target);
  const { matrix, offset } = indexMap(grid, volume);
  const aligned = matrix.every(
    (v, at) => at % 4 === 0 || Math.abs(v) * grid.size[at % 3]! < ALIGNED_TOLERANCE,
  );
  const sigma = [0, 3, 6].map((row) => {
    // how many source voxels a target voxel spans along this source axis
    const factor = Math.hypot(matrix[row]!, matrix[row + 1]!, matrix[row + 2]!);
    return antiAlias && factor > 1 + FACTOR_ROUNDING ? (factor - 1) / 2 : 0;
  }) as unknown as Vec3;
  return { sourceSize: volume.size, grid, matrix, offset, aligned, interpolation, fill, sigma };
}

/** How the target voxels of a region are weighted sums along each axis; for an aligned plan. */
export function regionTaps(plan: ResamplePlan, region: Region): [AxisTaps, AxisTaps, AxisTaps] {
  const taps = (axis: 0 | 1 | 2): AxisTaps =>
    axisTaps(
      region.start[axis],
      region.size[axis],
      plan.matrix[4 * axis]!,
      plan.offset[axis],
      plan.sourceSize[axis],
      plan.interpolation,
    );
  return [taps(0), taps(1), taps(2)];
}

/** Source voxels beyond the outermost positions that count (for cubic taps, mirrored ones too), or may by rounding. */
const TAP_MARGIN = { nearest: 1, linear: 1, bspline: 3 };

/** The source voxels that decide the target voxels of a region. */
export function sourceRegion(plan: ResamplePlan, region: Region): Region {
  const ends = ([0, 1, 2] as const).map((axis): [number, number] => {
    const [lowest, highest] = positions(plan, region, axis);
    const margin = TAP_MARGIN[plan.interpolation] + gaussianRadius(plan.sigma[axis]);
    const last = plan.sourceSize[axis] - 1;
    const clamp = (index: number): number => Math.min(Math.max(index, 0), last);
    return [clamp(Math.floor(lowest) - margin), clamp(Math.ceil(highest) + margin)];
  });
  return {
    start: ends.map(([first]) => first) as unknown as Vec3,
    size: ends.map(([first, last]) => last - first + 1) as unknown as Vec3,
  };
}

/** True where no target voxel of the region lies outside the source. */
export function liesInside(plan: ResamplePlan, region: Region): boolean {
  return ([0, 1, 2] as const).every((axis) => {
    const [lowest, highest] = positions(plan, region, axis);
    return lowest >= -0.5 && highest <= plan.sourceSize[axis] - 0.5;
  });
}

/** The least and greatest source index along an axis that target voxels of a region have. */
function positions(
  { matrix, offset }: ResamplePlan,
  { start, size }: Region,
  axis: 0 | 1 | 2,
): [number, number] {
  let [lowest, highest] = [offset[axis], offset[axis]];
  for (let along = 0; along < 3; along++) {
    const step = matrix[3 * axis + along]!;
    const [a, b] = [step * start[along]!, step * (start[along]! + size[along]! - 1)];
    lowest += Math.min(a, b);
    highest += Math.max(a, b);
  }
  return [lowest, highest];
}

function targetGrid(volume: Volume, { spacing, like }: ResampleTarget): Grid {
  if (like === undefined) return spacedGrid(volume, spacing);
  checkGrid(like, 'like');
  return { size: like.size, spacing: like.spacing, origin: like.origin, direction: like.direction };
}

function refuse(message: string): never {
  throw new VolumeError({ code: 'INVALID_ARGUMENT', message });
}
