import type { DicomFile } from './dicom-slice.js';
import { ImagingError } from './imaging-error.js';
import { hasRules, listSeries, matches, type SeriesRules } from './series-rules.js';

/** The files of each series. */
export function groupSeries(files: readonly DicomFile[]): Map<string, DicomFile[]> {
  const groups = new Map<string, DicomFile[]>();
  for (const file of files) {
    const group = groups.get(file.seriesUid);
    if (group) group.push(file);
    else groups.set(file.seriesUid, [file]);
  }
  return groups;
}

/**
 * The files of the one series to read. Localizers never belong to it. A series that cannot be read as a volume (dose
 * screens, reports) does not make a folder ambiguous.
 * @throws ImagingError NOT_FOUND, UNSUPPORTED, SEVERAL_SERIES, or the problem of a chosen file
 */
export function chooseSeries(
  files: readonly DicomFile[],
  name: string,
  { seriesUid, ...rules }: SeriesRules & { seriesUid?: string } = {},
): { chosen: DicomFile[]; warnings: string[] } {
  const warnings: string[] = [];
  const wanted = seriesUid === undefined ? files : files.filter((file) => file.seriesUid === seriesUid);
  if (wanted.length === 0) {
    const what = files.length === 0 ? 'no DICOM image' : 'no image of the series asked for';
    throw new ImagingError({ code: 'NOT_FOUND', message: `${name} holds ${what}` });
  }
  const images = wanted.filter((file) => !file.isLocalizer);
  if (images.length === 0) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} holds localizer images only, which form no volume`,
    });
  }
  if (images.length < wanted.length) {
    warnings.push(`${name}: left out ${wanted.length - images.length} localizer image(s)`);
  }
  let groups = [...groupSeries(images).values()];
  if (hasRules(rules)) {
    const matching = groups.filter((group) => matches(group, rules));
    if (matching.length === 0) {
      throw new ImagingError({
        code: 'NOT_FOUND',
        message: `${name} holds no series that meets the rules given; it holds ${listSeries(groups)}`,
      });
    }
    groups = matching;
  }
  if (groups.length > 1) {
    const readable = groups.filter((group) => group.every((file) => file.problem === undefined));
    if (readable.length === 1) {
      warnings.push(`${name}: left out ${groups.length - 1} series that cannot be read as a volume`);
      groups = readable;
    }
  }
  if (groups.length > 1) {
    throw new ImagingError({
      code: 'SEVERAL_SERIES',
      message: `${name} holds ${groups.length} series${hasRules(rules) ? ' that meet the rules given' : ''}: ${listSeries(groups)}; give one as seriesUid, rules that only one meets (modality, description, minimumSlices, maximumThicknessMm), or a folder of its own`,
    });
  }
  const chosen = groups[0]!;
  for (const { problem } of chosen) if (problem !== undefined) throw problem;
  return { chosen, warnings };
}
