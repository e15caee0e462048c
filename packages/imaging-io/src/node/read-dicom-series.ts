import type { Volume } from '@onco-response/volume';
import { chooseSeries } from '../dicom-choose.js';
import type { SeriesRules } from '../series-rules.js';
import { nameOf, scanDicom } from './dicom-folder.js';
import { readSlices, type StackOptions } from './read-slices.js';

/** Which series to read, and how. */
export interface ReadSeriesOptions extends SeriesRules, StackOptions {
  /** SeriesInstanceUID. */
  readonly seriesUid?: string;
}

export interface DicomSeries {
  readonly seriesUid: string;
  readonly modality: string;
  readonly frameOfReferenceUid: string;
  /**
   * The file of each slice, in the order of the volume's z axis. Where uneven slices were resampled, the files that were
   * read: no longer one for each plane of the volume.
   */
  readonly files: readonly string[];
  /** What was left out, assumed or repaired. */
  readonly warnings: readonly string[];
}

/**
 * One DICOM series as a volume: slices sorted along row x column, spacing from their positions, each slice's own
 * slope and intercept, int16 kept. Files that are no DICOM images are ignored; localizers are left out with a warning.
 * Of several series the one is read that meets the rules given (`modality`, `description`, `minimumSlices`,
 * `maximumThicknessMm`). PET comes in its header's units (Bq/ml) or, with `units: 'suvBodyWeight'`, in g/ml.
 * @throws ImagingError NOT_FOUND, SEVERAL_SERIES, MISSING_SLICES, DUPLICATE_SLICES, GANTRY_TILT, MIXED_ORIENTATION,
 * GRID_MISMATCH (slices of several sizes), MISSING_ATTRIBUTE (for SUV), TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED,
 * TOO_LARGE
 * @example
 * const { volume, series } = await readDicomSeries('case-1/dicom', { modality: 'PT', units: 'suvBodyWeight' });
 */
export async function readDicomSeries(
  folderOrFiles: string | readonly string[],
  options: ReadSeriesOptions = {},
): Promise<{ volume: Volume; series: DicomSeries }> {
  const name = nameOf(folderOrFiles);
  const scan = await scanDicom(folderOrFiles);
  const { chosen, warnings } = chooseSeries(scan.files, name, options);
  const slices = chosen.flatMap((file) => file.slices);
  const read = await readSlices(chosen, slices, name, options);
  const { seriesUid, modality, frameOfReferenceUid } = chosen[0]!;
  return {
    volume: read.volume,
    series: {
      seriesUid,
      modality,
      frameOfReferenceUid,
      files: read.files,
      warnings: [...scan.warnings, ...warnings, ...read.warnings],
    },
  };
}
