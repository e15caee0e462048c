import type { Volume } from '@onco-response/volume';
import type { ImageInput } from './byte-source.js';
import { chooseSeries, groupSeries } from './dicom-choose.js';
import { splitPhases } from './dicom-phases.js';
import { scanDicom } from './dicom-scan.js';
import { type ReferencedGrid, referenced } from './dicom-seg-reference.js';
import { readSlices, type StackOptions } from './read-slices.js';
import type { Reading } from './reading.js';
import { matches, type SeriesRules, type SeriesSummary, summarise } from './series-rules.js';
import { shownUid } from './transfer-syntax.js';

/** Which series to read, and how. */
export interface SeriesOptions extends SeriesRules, StackOptions {
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

/** One phase of a dynamic series. */
export interface DicomPhase {
  readonly volume: Volume & ReferencedGrid;
  /** Since the first phase; undefined where the header has no time that differs between phases. */
  readonly seconds: number | undefined;
  readonly series: DicomSeries;
}

/** A series among DICOM files. */
export interface ListedSeries extends SeriesSummary {
  readonly isLocalizer: boolean;
  readonly files: string[];
}

/** The one series that is meant, as a volume. */
export async function seriesOf(
  input: ImageInput,
  options: SeriesOptions,
  reading: Reading,
): Promise<{ volume: Volume & ReferencedGrid; series: DicomSeries }> {
  const { name } = input;
  const scan = await scanDicom(input.files(), reading);
  const { chosen, warnings } = chooseSeries(scan.files, name, options);
  const slices = chosen.flatMap((file) => file.slices);
  const read = await readSlices(chosen, slices, name, options, reading);
  const { seriesUid, modality, frameOfReferenceUid } = chosen[0]!;
  return {
    volume: referenced(read.volume, frameOfReferenceUid),
    series: {
      seriesUid,
      modality,
      frameOfReferenceUid,
      files: read.files,
      warnings: [...scan.warnings, ...warnings, ...read.warnings],
    },
  };
}

/** The one series that is meant, as a volume for each phase. */
export async function phasesOf(
  input: ImageInput,
  options: SeriesOptions,
  reading: Reading,
): Promise<DicomPhase[]> {
  const { name } = input;
  const scan = await scanDicom(input.files(), reading);
  const { chosen, warnings } = chooseSeries(scan.files, name, options);
  const { seriesUid, modality, frameOfReferenceUid } = chosen[0]!;
  const { phases, attribute } = splitPhases(
    chosen.flatMap((file) => file.slices),
    `${name} (series ${shownUid(seriesUid)})`,
  );
  const noted = attribute === undefined ? [] : [`${name}: ${phases.length} phases by ${attribute}`];
  const read: DicomPhase[] = [];
  for (const { slices, seconds } of phases) {
    const phase = await readSlices(chosen, slices, name, options, reading);
    read.push({
      volume: referenced(phase.volume, frameOfReferenceUid),
      seconds,
      series: {
        seriesUid,
        modality,
        frameOfReferenceUid,
        files: phase.files,
        warnings: [...scan.warnings, ...warnings, ...noted, ...phase.warnings],
      },
    });
  }
  return read;
}

/** The image series that meet the rules. */
export async function listedSeries(
  input: ImageInput,
  rules: SeriesRules,
  reading: Reading,
): Promise<ListedSeries[]> {
  const { files } = await scanDicom(input.files(), reading);
  return [...groupSeries(files).values()]
    .filter((group) => matches(group, rules))
    .map((group) => ({
      ...summarise(group),
      isLocalizer: group.every((file) => file.isLocalizer),
      files: group.map((file) => file.file),
    }));
}
