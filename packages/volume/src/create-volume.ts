import { checkVolume } from './check-volume.js';
import type { Mat3, Vec3, Volume, VoxelArray } from './types.js';

/** Axes along L, P and S. */
export const IDENTITY: Mat3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/**
 * A checked volume over the given voxels (not copied); spacing is 1 mm, origin 0 and axes run to LPS unless given.
 * @throws VolumeError INVALID_VOLUME where the parts do not fit
 * @example
 * const volume = createVolume({ data: new Int16Array(24), size: [4, 3, 2], spacing: [0.7, 0.7, 5] });
 */
export function createVolume<T extends VoxelArray>({
  data,
  size,
  spacing = [1, 1, 1],
  origin = [0, 0, 0],
  direction = IDENTITY,
}: {
  data: T;
  size: Vec3;
  spacing?: Vec3;
  origin?: Vec3;
  direction?: Mat3;
}): Volume<T> {
  const volume = { data, size, spacing, origin, direction };
  checkVolume(volume);
  return volume;
}

/** A zero-filled array of the same voxel type. */
export function emptyLike<T extends VoxelArray>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}
