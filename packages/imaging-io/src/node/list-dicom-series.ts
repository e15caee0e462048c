import { groupSeries } from '../dicom-choose.js';
import { matches, type SeriesRules, type SeriesSummary, summarise } from '../series-rules.js';
import { scanDicom } from './dicom-folder.js';

/** A series among DICOM files. */
export interface ListedSeries extends SeriesSummary {
  readonly isLocalizer: boolean;
  readonly files: string[];
}

/**
 * The image series among DICOM files that meet the rules given, so that one can be chosen. Only headers are kept in
 * memory. Names, numbers and dates are taken out of `description`; rules are matched against it as it was.
 * @throws ImagingError NOT_FOUND, NOT_READABLE, TRUNCATED, MALFORMED
 * @example
 * const [first] = await listDicomSeries('case-1/dicom', { modality: 'CT', maximumThicknessMm: 3 });
 * // { seriesUid, modality: 'CT', description: 'CHEST C+', images: 120, thicknessMm: 2, isLocalizer: false, files }
 */
export async function listDicomSeries(
  folderOrFiles: string | readonly string[],
  rules: SeriesRules = {},
): Promise<ListedSeries[]> {
  const { files } = await scanDicom(folderOrFiles);
  return [...groupSeries(files).values()]
    .filter((group) => matches(group, rules))
    .map((group) => ({
      ...summarise(group),
      isLocalizer: group.every((file) => file.isLocalizer),
      files: group.map((file) => file.file),
    }));
}
