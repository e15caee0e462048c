import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Grid, sameGrid } from '@onco-response/volume';
import { maskOf } from '../check-voxels.js';
import { type ReadMask, readDicomSeg } from '../dicom-seg.js';
import { bareTransferSyntax, maskModality } from '../dicom-seg-object.js';
import { ImagingError } from '../imaging-error.js';
import { readRtstruct } from '../rtstruct.js';
import { inflateLimited, readDicomBytes } from './dicom-bytes.js';
import { fileError } from './file-errors.js';
import { readVolume } from './read-volume.js';

export interface ReadMaskOptions {
  /** The image's grid: the mask has to lie on it, or (DICOM) is put on it, and carries exactly its geometry. */
  readonly like?: Grid | undefined;
  /**
   * The one label to read as 1. In DICOM a number is the SegmentNumber or ROINumber and a string the SegmentLabel or
   * ROIName.
   */
  readonly segment?: string | number | undefined;
  /** FrameOfReferenceUID of the image (`series.frameOfReferenceUid`): a DICOM mask of another one is refused. */
  readonly frameOfReferenceUid?: string | undefined;
}

/**
 * A label mask from an image file of labels, a DICOM segmentation (label n = segment n) or a DICOM structure set
 * (needs `like`; rasterised by voxel centres, even-odd); a folder that holds one such DICOM file will do. With
 * `segment`, that label becomes 1 and everything else 0. Resampling a mask is the caller's decision: one whose voxel
 * centres are not those of `like` is refused. What was left out or assumed is in `warnings`.
 * @throws ImagingError GRID_MISMATCH, INVALID_MASK (values that are no whole number in 0..255; overlapping segments or
 * several regions without `segment`), EMPTY_MASK (no voxel of `segment`), and the codes of `readVolume`
 * @example
 * const mask = await readMask('case-1/lesions.nii.gz', { like: ct });
 * const gtv = await readMask('case-1/RS.dcm', { like: ct, segment: 'GTV' });
 */
export async function readMask(
  path: string,
  { like, segment, frameOfReferenceUid }: ReadMaskOptions = {},
): Promise<ReadMask> {
  const file = await dicomCandidate(path);
  const bytes =
    file === undefined
      ? undefined
      : await readDicomBytes(file, (start) => bareTransferSyntax(start) !== undefined);
  if (file !== undefined && bytes !== undefined) {
    const inflate = (deflated: Uint8Array): Uint8Array => inflateLimited(deflated, file);
    const options = { like, segment, frameOfReferenceUid, inflate };
    const modality = maskModality(bytes, file, inflate);
    if (modality === 'SEG') return readDicomSeg(bytes, file, options);
    if (modality === 'RTSTRUCT') return readRtstruct(bytes, file, options);
  }
  const volume = await readVolume(path, { allowNaN: true });
  const mask = { ...maskOf(volume, path, segment), warnings: volume.warnings };
  if (like === undefined) return mask;
  if (!sameGrid(mask, like)) {
    throw new ImagingError({
      code: 'GRID_MISMATCH',
      message: `${path} lies on another grid than its image: ${describe(mask)}, image ${describe(like)}; resample the mask onto the image (nearest) and save it again`,
    });
  }
  const { size, spacing, origin, direction } = like;
  return { data: mask.data, size, spacing, origin, direction, warnings: mask.warnings };
}

/** The file that may be a DICOM mask: the path itself, or the only file of a folder. */
async function dicomCandidate(path: string): Promise<string | undefined> {
  if (/\.(nii|gz|nrrd|nhdr|mha|mhd)$/i.test(path)) return undefined;
  try {
    if (!(await stat(path)).isDirectory()) return path;
    const entries = await readdir(path, { withFileTypes: true });
    return entries.length === 1 && entries[0]!.isFile() ? join(path, entries[0]!.name) : undefined;
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

function describe({ size, spacing, origin, direction }: Grid): string {
  const round = (values: readonly number[]): string => values.map((v) => Number(v.toFixed(4))).join(' ');
  return `size ${size.join(' ')}, spacing ${round(spacing)}, origin ${round(origin)}, direction ${round(direction)}`;
}
