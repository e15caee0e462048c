import type { Volume } from '@onco-response/volume';
import type { ReferencedGrid } from '../dicom-seg-reference.js';
import type { DicomSeries, SeriesOptions } from '../dicom-series.js';
import type { ReadingOptions } from '../reading.js';
import { readOnThread } from './reading-pool.js';

/** Which series to read, and how. */
export interface ReadSeriesOptions extends SeriesOptions, ReadingOptions {}

/**
 * One DICOM series as a volume: slices sorted along row x column, spacing from their positions, each slice's own
 * slope and intercept, int16 kept. A folder is searched however deep it is. Files that are no DICOM images are ignored;
 * localizers are left out with a warning. Of several series the one is read that meets the rules given (`modality`,
 * `description`, `minimumSlices`, `maximumThicknessMm`). PET comes in its header's units (Bq/ml) or, with
 * `units: 'suvBodyWeight'`, in g/ml. The reading is done on another thread.
 * @throws ImagingError NOT_FOUND, SEVERAL_SERIES, MISSING_SLICES, DUPLICATE_SLICES, GANTRY_TILT, MIXED_ORIENTATION,
 * GRID_MISMATCH (slices of several sizes), MISSING_ATTRIBUTE (for SUV), TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED,
 * TOO_LARGE; the reason of `signal`
 * @example
 * const { volume, series } = await readDicomSeries('case-1/dicom', { modality: 'PT', units: 'suvBodyWeight' });
 */
export function readDicomSeries(
  folderOrFiles: string | readonly string[],
  { signal, onProgress, ...options }: ReadSeriesOptions = {},
): Promise<{ volume: Volume & ReferencedGrid; series: DicomSeries }> {
  return readOnThread('readDicomSeries', folderOrFiles, options, { signal, onProgress });
}
