import type { Volume } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { voxelTypeOf } from './voxel-type.js';

/**
 * Voxel type and unit axis vectors of a volume that can be written.
 * @throws ImagingError UNSUPPORTED for other arrays, INVALID_VOLUME where voxels or geometry do not fit
 */
export function writableVolume(
  volume: Volume,
  name: string,
): { type: ReturnType<typeof voxelTypeOf>; axes: number[][] } {
  const { data, size, spacing, origin, direction } = volume;
  const type = voxelTypeOf(data, name);
  if (data.length !== size[0] * size[1] * size[2]) {
    throw new ImagingError({
      code: 'INVALID_VOLUME',
      message: `${name}: ${data.length} voxels cannot be of size ${size.join(' x ')}`,
    });
  }
  if (![...spacing, ...origin, ...direction].every(Number.isFinite) || spacing.some((mm) => mm <= 0)) {
    throw new ImagingError({
      code: 'INVALID_VOLUME',
      message: `${name}: its spacing, origin and direction describe no grid in space`,
    });
  }
  return { type, axes: [0, 1, 2].map((column) => [0, 3, 6].map((row) => direction[row + column]!)) };
}
