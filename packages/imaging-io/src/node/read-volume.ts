import type { ReadVolume } from '../nifti.js';
import type { VolumeOptions } from '../read-image.js';
import { runReader } from '../readers.js';
import { type ReadingOptions, startReading } from '../reading.js';
import { expandsHere } from './expand-here.js';
import { pathInput } from './path-input.js';
import { readOnThread } from './reading-pool.js';
import { zlibExpander } from './zlib-expander.js';

/** `allowNaN` is for files, the rest for DICOM: which series of a folder to read, and how. */
export interface ReadVolumeOptions extends VolumeOptions, ReadingOptions {}

/**
 * A volume from a NIfTI (`.nii`, `.nii.gz`), NRRD (`.nrrd`, `.nhdr`) or MetaImage (`.mha`, `.mhd`) file, a DICOM file
 * of any name or a folder of DICOM slices; where @itk-wasm/image-io is installed also from an MGH (`.mgh`, `.mgz`), MINC 2
 * (`.mnc`, `.mnc2`), GIPL (`.gipl`, `.gipl.gz`), legacy VTK (`.vtk`) or ITK HDF5 (`.h5`, `.hdf5`) file. What the reader left out or had to assume is in `warnings`. The reading is
 * done on another thread.
 * @throws ImagingError NOT_FOUND, UNSUPPORTED, TRUNCATED, CORRUPT, MALFORMED, TOO_LARGE, NAN_VOXELS, and for folders
 * the codes of `readDicomSeries`; the reason of `signal`
 * @example
 * const ct = await readVolume('case-1/ct.nii.gz');
 */
export async function readVolume(
  path: string,
  { signal, onProgress, ...options }: ReadVolumeOptions = {},
): Promise<ReadVolume> {
  signal?.throwIfAborted();
  if (await expandsHere(path)) {
    const reading = startReading(zlibExpander, { signal, onProgress });
    return runReader('readVolume', pathInput(path), options, reading);
  }
  return readOnThread('readVolume', path, options, { signal, onProgress });
}
