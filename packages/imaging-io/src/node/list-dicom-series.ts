import type { ListedSeries } from '../dicom-series.js';
import type { ReadingOptions } from '../reading.js';
import type { SeriesRules } from '../series-rules.js';
import { readOnThread } from './reading-pool.js';

/**
 * The image series among DICOM files that meet the rules given, so that one can be chosen. Only headers are read.
 * Names, numbers and dates are taken out of `description`; rules are matched against it as it was.
 * @throws ImagingError NOT_FOUND, NOT_READABLE, TRUNCATED, MALFORMED; the reason of `signal`
 * @example
 * const [first] = await listDicomSeries('case-1/dicom', { modality: 'CT', maximumThicknessMm: 3 });
 * // { seriesUid, modality: 'CT', description: 'CHEST C+', images: 120, thicknessMm: 2, isLocalizer: false, files }
 */
export function listDicomSeries(
  folderOrFiles: string | readonly string[],
  { signal, onProgress, ...rules }: SeriesRules & ReadingOptions = {},
): Promise<ListedSeries[]> {
  return readOnThread('listDicomSeries', folderOrFiles, rules, { signal, onProgress });
}
