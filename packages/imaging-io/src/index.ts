export { ImagingError, type ImagingErrorCode } from './imaging-error.js';
export { readMetaImage, writeMetaImage } from './meta-image.js';
export type { ReadOptions, ReadVolume } from './nifti.js';
export { readNifti, writeNifti } from './nifti-bytes.js';
export { readNrrd, writeNrrd } from './nrrd.js';
