import type { Volume } from '@onco-response/volume';
import { blobInput } from './blob-source.js';
import type { ReadMask } from './dicom-seg.js';
import type { ReferencedGrid } from './dicom-seg-reference.js';
import type { DicomPhase, DicomSeries, ListedSeries, SeriesOptions } from './dicom-series.js';
import type { ReadVolume } from './nifti.js';
import type { VolumeOptions } from './read-image.js';
import type { MaskOptions } from './read-labels.js';
import { type OptionsOf, type ReaderName, type ResultOf, runReader } from './readers.js';
import { type ReadingOptions, startReading } from './reading.js';
import type { SeriesRules } from './series-rules.js';
import { streamExpander } from './stream-expander.js';

export interface ReadVolumeOptions extends VolumeOptions, ReadingOptions {}
export interface ReadMaskOptions extends MaskOptions, ReadingOptions {}
export interface ReadSeriesOptions extends SeriesOptions, ReadingOptions {}

/**
 * A volume from a NIfTI, NRRD, MetaImage or DICOM file, from a header (.nhdr, .mhd) with its data file, or from the files
 * of a DICOM folder: what was dropped or chosen, other files among it. Reads on the calling thread, in steps; a page that
 * must stay smooth calls it in a Web Worker.
 * @throws ImagingError as `readVolume` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * input.addEventListener('change', async () => {
 *   const ct = await readVolume([...input.files], { onProgress: ({ done, total }) => bar.value = done / total });
 * });
 */
export function readVolume(
  files: File | readonly File[],
  options: ReadVolumeOptions = {},
): Promise<ReadVolume> {
  return read('readVolume', files, options);
}

/**
 * A label mask from an image file of labels, a DICOM segmentation or a DICOM structure set (needs `like`).
 * @throws ImagingError as `readMask` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * const mask = await readMask(file, { like: ct, segment: 'GTV' });
 */
export function readMask(files: File | readonly File[], options: ReadMaskOptions = {}): Promise<ReadMask> {
  return read('readMask', files, options);
}

/**
 * One DICOM series of the files as a volume.
 * @throws ImagingError as `readDicomSeries` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * const { volume, series } = await readDicomSeries([...input.files], { modality: 'CT' });
 */
export function readDicomSeries(
  files: File | readonly File[],
  options: ReadSeriesOptions = {},
): Promise<{ volume: Volume & ReferencedGrid; series: DicomSeries }> {
  return read('readDicomSeries', files, options);
}

/**
 * A dynamic series as one volume for each phase, in time order.
 * @throws ImagingError as `readDicomPhases` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * const [before, early, late] = await readDicomPhases([...input.files], { modality: 'MR' });
 */
export function readDicomPhases(
  files: File | readonly File[],
  options: ReadSeriesOptions = {},
): Promise<DicomPhase[]> {
  return read('readDicomPhases', files, options);
}

/**
 * The image series among DICOM files that meet the rules given. Only headers are read.
 * @throws ImagingError as `listDicomSeries` of `@onco-response/imaging-io/node`; the reason of `signal`
 * @example
 * const series = await listDicomSeries([...input.files], { modality: 'CT' });
 */
export function listDicomSeries(
  files: File | readonly File[],
  options: SeriesRules & ReadingOptions = {},
): Promise<ListedSeries[]> {
  return read('listDicomSeries', files, options);
}

async function read<Name extends ReaderName>(
  reader: Name,
  files: File | readonly File[],
  options: OptionsOf<Name> & ReadingOptions,
): Promise<ResultOf<Name>> {
  const reading = startReading(streamExpander, options);
  options.signal?.throwIfAborted();
  return runReader(reader, blobInput(files), options, reading);
}
