import { checkVolume } from './check-volume.js';
import type { Box, Volume } from './types.js';

/**
 * The smallest box of voxels that holds every non-zero voxel (both corners belong to it), or null for an empty mask.
 * @example
 * boundingBox(mask); // { minimum: [12, 40, 3], maximum: [30, 61, 9] }
 */
export function boundingBox(mask: Volume): Box | null {
  checkVolume(mask, 'mask');
  const { data, size } = mask;
  const [width, height, depth] = size;
  let [x0, y0, z0] = size;
  let [x1, y1, z1] = [-1, -1, -1];
  for (let z = 0, row = 0; z < depth; z++) {
    for (let y = 0; y < height; y++, row += width) {
      let first = 0;
      while (first < width && data[row + first] === 0) first++;
      if (first === width) continue;
      let last = width - 1;
      while (data[row + last] === 0) last--;
      if (first < x0) x0 = first;
      if (last > x1) x1 = last;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      if (z < z0) z0 = z;
      z1 = z;
    }
  }
  return x1 < 0 ? null : { minimum: [x0, y0, z0], maximum: [x1, y1, z1] };
}
