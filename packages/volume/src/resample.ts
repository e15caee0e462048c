import { axisTaps } from './axis-taps.js';
import { bsplineCoefficients } from './bspline-coefficients.js';
import { checkGrid, checkNumber, checkVolume } from './check-volume.js';
import { emptyLike } from './create-volume.js';
import { indexMap } from './geometry.js';
import { type Interpolation, resampleAffine } from './resample-affine.js';
import { copyNearest, resampleAligned } from './resample-aligned.js';
import { spacedGrid } from './spaced-grid.js';
import type { Grid, Mat3, Vec3, Volume, VoxelArray } from './types.js';
import { VolumeError } from './volume-error.js';

/** Where to resample to: a spacing in mm (same axes, same region), or the grid of another volume. */
export type ResampleTarget =
  | { readonly spacing: Vec3; readonly like?: undefined }
  | { readonly like: Grid; readonly spacing?: undefined };

/** Axes count as aligned when the far corner of the target moves less than this many source voxels. */
const ALIGNED_TOLERANCE = 1e-6;

/**
 * The volume on another grid.
 *
 * `nearest` (for masks) keeps the voxel type; `linear` and `bspline` (cubic, with prefilter, mirror boundary, as
 * ITK's BSplineInterpolateImageFunction) give Float32Array (Float64Array from one). Target voxels whose centre lies
 * outside the source's voxels get `fill`. `{ spacing }` keeps that exact spacing and centres ceil(size * old / new)
 * voxels on the old region (IBSI reference manual, section 2.4): each side may reach half a voxel beyond it, where
 * edge values go on. Results equal SimpleITK's to float32 rounding.
 * @throws VolumeError INVALID_VOLUME, INVALID_ARGUMENT, TOO_LARGE
 * @example
 * const isotropic = resample(ct, { spacing: [1, 1, 1] }, { interpolation: 'linear' });
 * const onCt = resample(mask, { like: ct }, { interpolation: 'nearest' });
 */
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  target: ResampleTarget,
  options: { interpolation: 'nearest'; fill?: number },
): Volume<T>;
export function resample(
  volume: Volume,
  target: ResampleTarget,
  options?: { interpolation?: Interpolation; fill?: number },
): Volume;
export function resample(
  volume: Volume,
  target: ResampleTarget,
  { interpolation = 'linear', fill = 0 }: { interpolation?: Interpolation; fill?: number } = {},
): Volume {
  checkVolume(volume);
  checkNumber(fill, 'fill');
  if (!['nearest', 'linear', 'bspline'].includes(interpolation)) {
    throw new VolumeError({
      code: 'INVALID_ARGUMENT',
      message: `interpolation has to be 'nearest', 'linear' or 'bspline', found ${JSON.stringify(interpolation)}`,
    });
  }
  const grid = targetGrid(volume, target);
  const length = grid.size[0] * grid.size[1] * grid.size[2];
  const map = indexMap(grid, volume);
  const aligned = isAligned(map.matrix, grid.size);
  const axes = ([0, 1, 2] as const).map((axis) =>
    aligned
      ? axisTaps(grid.size[axis], map.matrix[4 * axis]!, map.offset[axis], volume.size[axis], interpolation)
      : undefined,
  ) as unknown as Parameters<typeof resampleAligned>[4];

  if (interpolation === 'nearest') {
    const data = emptyLike(volume.data, length);
    if (fill !== 0) data.fill(fill);
    if (aligned) copyNearest(volume.data, volume.size, data, grid.size, axes);
    else resampleAffine(volume.data, volume.size, data, grid.size, map, interpolation);
    return { data, ...grid };
  }
  const data = volume.data instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
  if (fill !== 0 || !aligned) data.fill(fill);
  const source = interpolation === 'bspline' ? bsplineCoefficients(volume.data, volume.size) : volume.data;
  if (aligned) resampleAligned(source, volume.size, data, grid.size, axes);
  else resampleAffine(source, volume.size, data, grid.size, map, interpolation);
  return { data, ...grid };
}

function targetGrid(volume: Volume, { spacing, like }: ResampleTarget): Grid {
  if (like === undefined) return spacedGrid(volume, spacing);
  checkGrid(like, 'like');
  return { size: like.size, spacing: like.spacing, origin: like.origin, direction: like.direction };
}

function isAligned(matrix: Mat3, size: Vec3): boolean {
  return matrix.every((v, at) => at % 4 === 0 || Math.abs(v) * size[at % 3]! < ALIGNED_TOLERANCE);
}
