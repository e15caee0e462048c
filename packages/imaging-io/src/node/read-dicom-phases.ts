import type { DicomPhase } from '../dicom-series.js';
import type { ReadSeriesOptions } from './read-dicom-series.js';
import { readOnThread } from './reading-pool.js';

/**
 * A dynamic series (DCE-MRI) as one volume for each phase, in time order. Slices at the same position are told apart by
 * TemporalPositionIdentifier, else TriggerTime, else AcquisitionTime, else ContentTime. A series without repeated
 * positions is one phase at 0 s. All phases are in memory together. The reading is done on another thread.
 * @throws ImagingError UNEVEN_PHASES where phases do not hold the same positions, and the codes of `readDicomSeries`
 * @example
 * const [before, early, late] = await readDicomPhases('case-1/dce', { modality: 'MR' });
 */
export function readDicomPhases(
  folderOrFiles: string | readonly string[],
  { signal, onProgress, ...options }: ReadSeriesOptions = {},
): Promise<DicomPhase[]> {
  return readOnThread('readDicomPhases', folderOrFiles, options, { signal, onProgress });
}
