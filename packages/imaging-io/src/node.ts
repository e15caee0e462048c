export type { ReadMask } from './dicom-seg.js';
export { ImagingError, type ImagingErrorCode } from './imaging-error.js';
export type { ReadVolume } from './nifti.js';
export { type ListedSeries, listDicomSeries } from './node/list-dicom-series.js';
export { type DicomPhase, readDicomPhases } from './node/read-dicom-phases.js';
export { type DicomSeries, type ReadSeriesOptions, readDicomSeries } from './node/read-dicom-series.js';
export { type ReadMaskOptions, readMask } from './node/read-mask.js';
export { type ReadVolumeOptions, readVolume } from './node/read-volume.js';
export { writeVolume } from './node/write-volume.js';
