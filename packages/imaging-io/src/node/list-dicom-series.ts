import { groupSeries } from '../dicom-choose.js';
import { scanDicom } from './dicom-folder.js';

/**
 * The image series among DICOM files, so that one can be chosen. Only headers are kept in memory.
 * @throws ImagingError NOT_FOUND, NOT_READABLE, TRUNCATED, MALFORMED
 * @example
 * const [first] = await listDicomSeries('case-1/dicom'); // { seriesUid, modality: 'CT', images: 120, isLocalizer: false, files }
 */
export async function listDicomSeries(
  folderOrFiles: string | readonly string[],
): Promise<{ seriesUid: string; modality: string; images: number; isLocalizer: boolean; files: string[] }[]> {
  const { files } = await scanDicom(folderOrFiles);
  return [...groupSeries(files)].map(([seriesUid, group]) => ({
    seriesUid,
    modality: group[0]!.modality,
    images: group.reduce((sum, file) => sum + Math.max(1, file.slices.length), 0),
    isLocalizer: group.every((file) => file.isLocalizer),
    files: group.map((file) => file.file),
  }));
}
