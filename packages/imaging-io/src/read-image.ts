import { type ByteSource, type ImageInput, withSource } from './byte-source.js';
import { type SeriesOptions, seriesOf } from './dicom-series.js';
import { DICOM_START_BYTES, dicomStart } from './dicom-start.js';
import { ImagingError } from './imaging-error.js';
import { metaImageVolume } from './meta-image.js';
import { parseMetaImageHeader } from './meta-image-header.js';
import type { ReadOptions, ReadVolume } from './nifti.js';
import { readNiftiSource } from './nifti-source.js';
import { nrrdVolume } from './nrrd.js';
import { parseNrrdHeader } from './nrrd-header.js';
import type { Reading } from './reading.js';
import { readStoredVoxels } from './stored-voxel-source.js';

/** `allowNaN` is for files, the rest for DICOM: which series of a folder to read, and how. */
export interface VolumeOptions extends ReadOptions, SeriesOptions {}

/** Image files that are told by their names; DICOM files may have any. */
export const IMAGE_FILE = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd)$/i;

/** One image, whatever its format. */
export async function imageOf(
  input: ImageInput,
  options: VolumeOptions,
  reading: Reading,
): Promise<ReadVolume> {
  const { file } = input;
  if (file !== undefined && IMAGE_FILE.test(file.name)) {
    return withSource(file, (source) => imageFile(source, input, options, reading));
  }
  const { otherFormats } = reading;
  if (file !== undefined && otherFormats?.reads(file.name)) {
    return withSource(file, (source) => otherFormats.read(source, options, reading));
  }
  if (file !== undefined && !/\.dcm$/i.test(file.name) && !(await withSource(file, looksLikeDicom))) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${file.name}: this version reads .nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd, DICOM files and folders of DICOM slices${otherFormats === undefined ? '' : `, and ${otherFormats.endings}`}; convert the file to .nii.gz`,
    });
  }
  const { volume, series } = await seriesOf(input, options, reading);
  return { ...volume, warnings: series.warnings };
}

async function looksLikeDicom(source: ByteSource): Promise<boolean> {
  return dicomStart(await source.read(0, Math.min(source.size, DICOM_START_BYTES))) !== undefined;
}

async function imageFile(
  source: ByteSource,
  input: ImageInput,
  options: ReadOptions,
  reading: Reading,
): Promise<ReadVolume> {
  const { name } = source;
  if (/\.(nrrd|nhdr)$/i.test(name)) {
    const { header, voxels } = await readStoredVoxels(source, input, parseNrrdHeader, reading);
    return nrrdVolume(header, voxels, name, options);
  }
  if (/\.(mha|mhd)$/i.test(name)) {
    const { header, voxels } = await readStoredVoxels(source, input, parseMetaImageHeader, reading);
    return metaImageVolume(header, voxels, name, options);
  }
  return readNiftiSource(source, options, reading);
}
