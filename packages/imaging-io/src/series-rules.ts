import type { DicomFile } from './dicom-slice.js';
import { cross, dot } from './dicom-slice.js';
import { shownUid } from './transfer-syntax.js';

/** Which series of a folder is meant. Every rule given has to hold. */
export interface SeriesRules {
  /** Modality: `CT`, `MR`, `PT` (PET). */
  readonly modality?: string;
  /** SeriesDescription: a pattern, or text found anywhere in it whatever its case. */
  readonly description?: RegExp | string;
  /** At least so many slices: scouts and contrast-timing series have few. */
  readonly minimumSlices?: number;
  /** SliceThickness at most, mm; where the header has none, the usual distance of slices. */
  readonly maximumThicknessMm?: number;
}

/** What can be said about a series without its patient. */
export interface SeriesSummary {
  readonly seriesUid: string;
  readonly modality: string;
  /** SeriesDescription with names, numbers and dates taken out. */
  readonly description: string;
  readonly images: number;
  /** SliceThickness, or the usual distance of slices, mm; undefined where neither is known. */
  readonly thicknessMm: number | undefined;
}

/** Series named in one message: a study has tens, a wrong folder hundreds. */
const MAX_LISTED = 20;

/** Describes the files of one series. */
export function summarise(group: readonly DicomFile[]): SeriesSummary {
  const first = group[0]!;
  return {
    seriesUid: first.seriesUid,
    modality: first.modality,
    description: first.shownDescription,
    images: group.reduce((sum, file) => sum + Math.max(1, file.slices.length), 0),
    thicknessMm: thicknessOf(group),
  };
}

/** True where the series meets every rule. */
export function matches(group: readonly DicomFile[], rules: SeriesRules): boolean {
  const { modality, description, minimumSlices, maximumThicknessMm } = rules;
  const { images, thicknessMm } = summarise(group);
  const first = group[0]!;
  if (modality !== undefined && first.modality.toUpperCase() !== modality.toUpperCase()) return false;
  if (typeof description === 'string') {
    if (!first.description.toLowerCase().includes(description.toLowerCase())) return false;
    // search, unlike test, starts a global pattern at the beginning every time
  } else if (description !== undefined && first.description.search(description) < 0) return false;
  if (minimumSlices !== undefined && images < minimumSlices) return false;
  // 1e-6: a header says 1.0000001 for 1
  return maximumThicknessMm === undefined || (thicknessMm ?? Infinity) <= maximumThicknessMm + 1e-6;
}

/** True where any rule is given. */
export function hasRules(rules: SeriesRules): boolean {
  const { modality, description, minimumSlices, maximumThicknessMm } = rules;
  return [modality, description, minimumSlices, maximumThicknessMm].some((rule) => rule !== undefined);
}

/** One line that tells series apart. */
export function listSeries(groups: readonly (readonly DicomFile[])[]): string {
  const lines = groups.slice(0, MAX_LISTED).map((group) => {
    const { seriesUid, modality, description, images, thicknessMm } = summarise(group);
    const name = description === '' ? 'no description' : `"${description}"`;
    const thickness = thicknessMm === undefined ? 'unknown thickness' : `${thicknessMm.toFixed(2)} mm`;
    return `${shownUid(seriesUid)} (${/^[A-Z]{2,16}$/.test(modality) ? modality : 'unknown modality'}, ${name}, ${images} slices, ${thickness})`;
  });
  const more = groups.length - lines.length;
  return more > 0 ? `${lines.join('; ')}; and ${more} more` : lines.join('; ');
}

function thicknessOf(group: readonly DicomFile[]): number | undefined {
  const slices = group.flatMap((file) => file.slices);
  const said = slices.map((slice) => slice.sliceThickness).filter((mm) => mm !== undefined && mm > 0);
  if (said.length > 0) return said.reduce((widest, mm) => Math.max(widest!, mm!));
  if (slices.length < 2) return undefined;
  const normal = cross(slices[0]!.row, slices[0]!.column);
  const places = slices.map((slice) => dot(slice.position, normal)).sort((a, b) => a - b);
  const gaps = places.slice(1).map((place, at) => place - places[at]!);
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
}
