export { ImagingError, type ImagingErrorCode } from './imaging-error.js';
export type { ReadOptions, ReadVolume } from './nifti.js';
export { readNifti, writeNifti } from './nifti-bytes.js';
