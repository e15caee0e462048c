import { stat } from 'node:fs/promises';
import { ImagingError } from '../imaging-error.js';
import type { ReadOptions, ReadVolume } from '../nifti.js';
import { fileError } from './file-errors.js';
import { readNiftiFile } from './nifti-file.js';
import { readDicomSeries } from './read-dicom-series.js';

export interface ReadVolumeOptions extends ReadOptions {
  /** Which series of a DICOM folder to read (SeriesInstanceUID). */
  readonly seriesUid?: string;
}

/**
 * A volume from a NIfTI file (`.nii`, `.nii.gz`), a DICOM file (`.dcm`) or a folder of DICOM slices. What the reader
 * left out or had to assume is in `warnings`.
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
  if (!isFolder && /\.nii(\.gz)?$/i.test(path)) return readNiftiFile(path, options);
  if (isFolder || /\.dcm$/i.test(path)) {
    const { volume, series } = await readDicomSeries(isFolder ? path : [path], options);
    return { ...volume, warnings: series.warnings };
  }
  throw new ImagingError({
    code: 'UNSUPPORTED',
    message: `${path}: this version reads .nii, .nii.gz, .dcm and folders of DICOM slices; convert the file to .nii.gz`,
  });
}
