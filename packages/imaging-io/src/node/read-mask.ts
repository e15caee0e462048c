import type { ReadMask } from '../dicom-seg.js';
import type { MaskOptions } from '../read-labels.js';
import type { ReadingOptions } from '../reading.js';
import { readOnThread } from './reading-pool.js';

export interface ReadMaskOptions extends MaskOptions, ReadingOptions {}

/**
 * A label mask from an image file of labels, a DICOM segmentation (label n = segment n) or a DICOM structure set
 * (needs `like`; rasterised by voxel centres, even-odd); a folder that holds one such DICOM file will do. With
 * `segment`, that label becomes 1 and everything else 0. Resampling a mask is the caller's decision: one whose voxel
 * centres are not those of `like` is refused. What was left out or assumed is in `warnings`. The reading is done on
 * another thread.
 * @throws ImagingError GRID_MISMATCH, INVALID_MASK (values that are no whole number in 0..255; several regions without
 * `segment`), OVERLAPPING_SEGMENTS (without `segment`), EMPTY_MASK (no voxel of `segment`), and the codes of `readVolume`
 * @example
 * const mask = await readMask('case-1/lesions.nii.gz', { like: ct });
 * const gtv = await readMask('case-1/RS.dcm', { like: ct, segment: 'GTV' });
 */
export function readMask(
  path: string,
  { signal, onProgress, like, ...options }: ReadMaskOptions = {},
): Promise<ReadMask> {
  // the grid alone, without the image's voxels
  const grid = like && {
    size: like.size,
    spacing: like.spacing,
    origin: like.origin,
    direction: like.direction,
    frameOfReferenceUid: like.frameOfReferenceUid,
  };
  return readOnThread('readMask', path, { ...options, like: grid }, { signal, onProgress });
}
