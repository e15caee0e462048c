import { type Grid, type Mask, sameGrid } from '@onco-response/volume';
import { maskOf } from '../check-voxels.js';
import { ImagingError } from '../imaging-error.js';
import { readVolume } from './read-volume.js';

/**
 * A label mask from a NIfTI file. With `segment`, that label becomes 1 and everything else 0. With `like`, the mask
 * has to lie on that grid (it then carries exactly that geometry): resampling a mask is the caller's decision.
 * @throws ImagingError GRID_MISMATCH, INVALID_MASK (values that are no whole number in 0..255), EMPTY_MASK (no voxel of
 * `segment`), and the codes of `readVolume`
 * @example
 * const mask = await readMask('case-1/lesions.nii.gz', { like: ct });
 */
export async function readMask(
  path: string,
  { like, segment }: { like?: Grid | undefined; segment?: string | number | undefined } = {},
): Promise<Mask> {
  const mask = maskOf(await readVolume(path, { allowNaN: true }), path, segment);
  if (like === undefined) return mask;
  if (!sameGrid(mask, like)) {
    throw new ImagingError({
      code: 'GRID_MISMATCH',
      message: `${path} lies on another grid than its image: ${describe(mask)}, image ${describe(like)}; resample the mask onto the image (nearest) and save it again`,
    });
  }
  const { size, spacing, origin, direction } = like;
  return { data: mask.data, size, spacing, origin, direction };
}

function describe({ size, spacing, origin, direction }: Grid): string {
  const round = (values: readonly number[]): string => values.map((v) => Number(v.toFixed(4))).join(' ');
  return `size ${size.join(' ')}, spacing ${round(spacing)}, origin ${round(origin)}, direction ${round(direction)}`;
}
