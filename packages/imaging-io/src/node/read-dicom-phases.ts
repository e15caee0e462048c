import type { Volume } from '@onco-response/volume';
import { chooseSeries } from '../dicom-choose.js';
import { splitPhases } from '../dicom-phases.js';
import { nameOf, scanDicom } from './dicom-folder.js';
import type { DicomSeries, ReadSeriesOptions } from './read-dicom-series.js';
import { readSlices } from './read-slices.js';

/** One phase of a dynamic series. */
export interface DicomPhase {
  readonly volume: Volume;
  /** Since the first phase; undefined where the header has no time that differs between phases. */
  readonly seconds: number | undefined;
  readonly series: DicomSeries;
}

/**
 * A dynamic series (DCE-MRI) as one volume for each phase, in time order. Slices at the same position are told apart by
 * TemporalPositionIdentifier, else TriggerTime, else AcquisitionTime, else ContentTime. A series without repeated
 * positions is one phase at 0 s. All phases are in memory together.
 * @throws ImagingError UNEVEN_PHASES where phases do not hold the same positions, and the codes of `readDicomSeries`
 * @example
 * const [before, early, late] = await readDicomPhases('case-1/dce', { modality: 'MR' });
 */
export async function readDicomPhases(
  folderOrFiles: string | readonly string[],
  options: ReadSeriesOptions = {},
): Promise<DicomPhase[]> {
  const name = nameOf(folderOrFiles);
  const scan = await scanDicom(folderOrFiles);
  const { chosen, warnings } = chooseSeries(scan.files, name, options);
  const { seriesUid, modality, frameOfReferenceUid } = chosen[0]!;
  const { phases, attribute } = splitPhases(
    chosen.flatMap((file) => file.slices),
    `${name} (series ${seriesUid})`,
  );
  const noted = attribute === undefined ? [] : [`${name}: ${phases.length} phases by ${attribute}`];
  const read: DicomPhase[] = [];
  for (const { slices, seconds } of phases) {
    const phase = await readSlices(chosen, slices, name, options);
    read.push({
      volume: phase.volume,
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
