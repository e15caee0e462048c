import { stat } from 'node:fs/promises';
import { ImagingError } from '../imaging-error.js';
import { metaImageVolume } from '../meta-image.js';
import { parseMetaImageHeader } from '../meta-image-header.js';
import type { ReadOptions, ReadVolume } from '../nifti.js';
import { nrrdVolume } from '../nrrd.js';
import { parseNrrdHeader } from '../nrrd-header.js';
import { fileError } from './file-errors.js';
import { readNiftiFile } from './nifti-file.js';
import { type ReadSeriesOptions, readDicomSeries } from './read-dicom-series.js';
import { readStoredVoxels } from './stored-voxel-file.js';

/** `allowNaN` is for files, the rest for DICOM: which series of a folder to read, and how. */
export interface ReadVolumeOptions extends ReadOptions, ReadSeriesOptions {}

/**
 * A volume from a NIfTI (`.nii`, `.nii.gz`), NRRD (`.nrrd`, `.nhdr`) or MetaImage (`.mha`, `.mhd`) file, a DICOM file
 * (`.dcm`) or a folder of DICOM slices. What the reader left out or had to assume is in `warnings`.
 * @throws ImagingError NOT_FOUND, UNSUPPORTED, TRUNCATED, CORRUPT, MALFORMED, TOO_LARGE, NAN_VOXELS, and for folders
 * the codes of `readDicomSeries`
 * @example
 * const ct = await readVolume('case-1/ct.nii.gz');
 */
export async function readVolume(path: string, options: ReadVolumeOptions = {}): Promise<ReadVolume> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw fileError(error, path, 'read');
    },
  );
  if (isFolder || /\.dcm$/i.test(path)) {
    const { volume, series } = await readDicomSeries(isFolder ? path : [path], options);
    return { ...volume, warnings: series.warnings };
  }
  if (/\.nii(\.gz)?$/i.test(path)) return readNiftiFile(path, options);
  if (/\.(nrrd|nhdr)$/i.test(path)) {
    const { header, voxels } = await readStoredVoxels(path, parseNrrdHeader);
    return nrrdVolume(header, voxels, path, options);
  }
  if (/\.(mha|mhd)$/i.test(path)) {
    const { header, voxels } = await readStoredVoxels(path, parseMetaImageHeader);
    return metaImageVolume(header, voxels, path, options);
  }
  throw new ImagingError({
    code: 'UNSUPPORTED',
    message: `${path}: this version reads .nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd, .dcm and folders of DICOM slices; convert the file to .nii.gz`,
  });
}
