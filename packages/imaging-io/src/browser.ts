export {
  listDicomSeries,
  type ReadMaskOptions,
  type ReadSeriesOptions,
  type ReadVolumeOptions,
  readDicomPhases,
  readDicomSeries,
  readMask,
  readVolume,
} from './browser-readers.js';
export type { ReadMask } from './dicom-seg.js';
export type { DicomPhase, DicomSeries, ListedSeries } from './dicom-series.js';
export { ImagingError, type ImagingErrorCode } from './imaging-error.js';
export type { ReadVolume } from './nifti.js';
export type { ReadingOptions, ReadProgress } from './reading.js';
export { type EncodeDicomSegOptions, encodeDicomSeg } from './write-dicom-seg-browser.js';
export type { CodedConcept } from './write-dicom-seg-elements.js';
export type { SegmentDescription } from './write-dicom-seg-segments.js';
