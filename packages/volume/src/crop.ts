import { checkVolume } from './check-volume.js';
import { emptyLike } from './create-volume.js';
import { indexToPhysical } from './geometry.js';
import type { Box, Vec3, Volume, VoxelArray } from './types.js';
import { VolumeError } from './volume-error.js';

/**
 * The voxels of a box (both corners included), each at its place in space.
 * @throws VolumeError OUT_OF_BOUNDS where the box leaves the volume (pad first)
 * @example
 * const lesion = crop(volume, boundingBox(mask)!);
 */
export function crop<T extends VoxelArray>(volume: Volume<T>, { minimum, maximum }: Box): Volume<T> {
  checkVolume(volume);
  const { data, size } = volume;
  for (let axis = 0; axis < 3; axis++) {
    const [first, last] = [minimum[axis]!, maximum[axis]!];
    const whole = Number.isInteger(first) && Number.isInteger(last);
    if (whole && first >= 0 && last >= first && last < size[axis]!) continue;
    throw new VolumeError({
      code: 'OUT_OF_BOUNDS',
      message: `the box [${minimum}] to [${maximum}] does not lie in a volume of ${size.join(' x ')} voxels`,
    });
  }
  const box: Vec3 = [maximum[0] - minimum[0] + 1, maximum[1] - minimum[1] + 1, maximum[2] - minimum[2] + 1];
  const cropped = emptyLike(data, box[0] * box[1] * box[2]);
  for (let z = 0, target = 0; z < box[2]; z++) {
    for (let y = 0; y < box[1]; y++, target += box[0]) {
      const source = minimum[0] + size[0] * (minimum[1] + y + size[1] * (minimum[2] + z));
      cropped.set(data.subarray(source, source + box[0]), target);
    }
  }
  return { ...volume, data: cropped, size: box, origin: indexToPhysical(volume, minimum) };
}
