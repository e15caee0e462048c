import { checkVolume } from './check-volume.js';
import { voxelVolumeMm3 } from './geometry.js';
import type { Volume } from './types.js';

/**
 * Volume of the non-zero voxels in mm3 (count times voxel volume).
 * @example
 * volumeMm3(mask) / 1000; // in ml
 */
export function volumeMm3(mask: Volume): number {
  checkVolume(mask, 'mask');
  let count = 0;
  for (let at = 0; at < mask.data.length; at++) if (mask.data[at] !== 0) count++;
  return count * voxelVolumeMm3(mask);
}
