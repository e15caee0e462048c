import { checkNumber, checkVolume } from './check-volume.js';
import { emptyLike } from './create-volume.js';
import { indexToPhysical } from './geometry.js';
import type { Vec3, Volume, VoxelArray } from './types.js';
import { VolumeError } from './volume-error.js';

/**
 * Adds voxels of `value` before and after each axis; the given voxels stay at their place in space.
 * @throws VolumeError INVALID_ARGUMENT for a negative or fractional width
 * @example
 * const larger = pad(volume, { before: [2, 2, 0], after: [2, 2, 0], value: -1024 });
 */
export function pad<T extends VoxelArray>(
  volume: Volume<T>,
  { before, after = before, value = 0 }: { before: Vec3; after?: Vec3; value?: number },
): Volume<T> {
  checkVolume(volume);
  checkNumber(value, 'value');
  for (const width of [...before, ...after]) {
    if (Number.isInteger(width) && width >= 0) continue;
    throw new VolumeError({
      code: 'INVALID_ARGUMENT',
      message: `pad widths have to be whole numbers >= 0, found [${before}] and [${after}]`,
    });
  }
  const { data, size } = volume;
  const padded: Vec3 = [
    size[0] + before[0] + after[0],
    size[1] + before[1] + after[1],
    size[2] + before[2] + after[2],
  ];
  const result = emptyLike(data, padded[0] * padded[1] * padded[2]);
  if (value !== 0) result.fill(value);
  for (let z = 0, source = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++, source += size[0]) {
      const target = before[0] + padded[0] * (before[1] + y + padded[1] * (before[2] + z));
      result.set(data.subarray(source, source + size[0]), target);
    }
  }
  const origin = indexToPhysical(volume, [-before[0], -before[1], -before[2]]);
  return { ...volume, data: result, size: padded, origin };
}
