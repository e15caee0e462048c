import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '@onco-response/command-line/node';
import { readMask, writeVolume } from '@onco-response/imaging-io/node';
import { type Agreement, agreement, lesionContactSheet } from '@onco-response/lesion-mask';
import { encodePng } from '@onco-response/report';
import { loadNnUnet } from '@onco-response/segmentation/node';
import type { Mask } from '@onco-response/volume';
import type { SegmentCase } from './segment-cohort.js';
import { readSegmentCase, stop } from './segment-prepare.js';
import type { SegmentStudy } from './segment-study.js';
import { writeOutput } from './write-output.js';

export interface SegmentedCase {
  readonly caseId: string;
  readonly labels: Readonly<Record<string, Agreement>>;
}

/** Of a label over the cases that have it or of which it was predicted. */
export interface LabelSummary {
  readonly cases: number;
  readonly medianDice: number | null;
  readonly diceQuartiles: readonly [number, number] | null;
  readonly meanDice: number | null;
  /** Over the cases where both masks have a surface. */
  readonly medianHausdorff95Mm: number | null;
  /** Predicted minus drawn, as a share of drawn. */
  readonly medianRelativeVolumeError: number | null;
  readonly medianAbsoluteRelativeVolumeError: number | null;
  /** Cases with the label of which nothing was found, and without it of which something was. */
  readonly missed: number;
  readonly invented: number;
}

/**
 * Segments the test cases with a model's folder and compares with the drawn masks. Writes the masks to `predictions/` and
 * contact sheets to `sheets/` (drawn in blue, predicted in orange).
 */
export async function evaluateSegmentation({
  model,
  out,
  study,
  cases,
  checkpoint,
  interrupted,
}: {
  model: string;
  out: string;
  study: SegmentStudy;
  cases: readonly SegmentCase[];
  /** File in the folds; else the usual one. */
  checkpoint?: string;
  interrupted: () => boolean;
}): Promise<{ cases: SegmentedCase[]; model: Readonly<Record<string, unknown>> }> {
  const { mirror, sheets, window } = study.evaluation;
  const segmenter = await loadNnUnet(model, checkpoint === undefined ? {} : { checkpoint });
  const predictionOf = (caseId: string): string => join(out, 'predictions', `${caseId}.nii.gz`);
  await mkdir(join(out, 'predictions'), { recursive: true });
  const results: SegmentedCase[] = [];
  const progress = new Progress('segmenting test cases', cases.length);
  try {
    for (const each of cases) {
      if (interrupted()) stop('while test cases were segmented');
      const { volumes, mask } = await readSegmentCase(each);
      const predicted = await segmenter.segment(volumes, { mirror });
      await writeVolume(predictionOf(each.caseId), predicted);
      const labels = Object.entries(study.labels).map(
        ([name, value]) => [name, agreement(only(predicted, value), only(mask, value))] as const,
      );
      results.push({ caseId: each.caseId, labels: Object.fromEntries(labels) });
      progress.advance();
    }
  } finally {
    progress.stop();
    segmenter.dispose();
  }
  for (const caseId of shownCases(results, sheets)) {
    const { volumes, mask } = await readSegmentCase(
      cases.find((each) => each.caseId === caseId) as SegmentCase,
    );
    const volume = volumes[0]!;
    const predicted = await readMask(predictionOf(caseId), { like: volume });
    const dice = diceOf(results.find((each) => each.caseId === caseId) as SegmentedCase);
    const title = `${study.synthetic ? 'SYNTHETIC ' : ''}${caseId}  Dice ${dice?.toFixed(3) ?? 'not defined'}`;
    const picture = lesionContactSheet(volume, predicted, { window, reference: mask, title });
    await writeOutput(join(out, 'sheets', `${caseId}.png`), encodePng(picture));
  }
  return { cases: results, model: segmenter.description };
}

/** Every label of a study over its cases. */
export function summarise(
  cases: readonly SegmentedCase[],
  labels: readonly string[],
): Record<string, LabelSummary> {
  return Object.fromEntries(
    labels.map((label) => {
      const each = cases.map((current) => current.labels[label] as Agreement);
      const of = (value: (agreement: Agreement) => number | null): number[] =>
        each.map(value).filter((found) => found !== null);
      const dice = of((found) => found.dice);
      return [
        label,
        {
          cases: dice.length,
          medianDice: quantile(dice, 0.5),
          diceQuartiles: dice.length === 0 ? null : [quantile(dice, 0.25)!, quantile(dice, 0.75)!],
          meanDice: dice.length === 0 ? null : dice.reduce((sum, value) => sum + value, 0) / dice.length,
          medianHausdorff95Mm: quantile(
            of((found) => found.hausdorff95Mm),
            0.5,
          ),
          medianRelativeVolumeError: quantile(
            of((found) => found.relativeVolumeError),
            0.5,
          ),
          medianAbsoluteRelativeVolumeError: quantile(
            of((found) => found.relativeVolumeError).map(Math.abs),
            0.5,
          ),
          missed: each.filter((found) => found.volumeMm3 === 0 && found.referenceVolumeMm3 > 0).length,
          invented: each.filter((found) => found.volumeMm3 > 0 && found.referenceVolumeMm3 === 0).length,
        },
      ];
    }),
  );
}

/** Mean over the labels that the case has; null where it has none and none was found. */
export function diceOf({ labels }: SegmentedCase): number | null {
  const known = Object.values(labels).flatMap(({ dice }) => (dice === null ? [] : [dice]));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Linear between order statistics; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  if (sorted.length === 0) return null;
  return sorted[low]! + (position - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}

/** Evenly from the worst to the best. */
function shownCases(cases: readonly SegmentedCase[], count: number): string[] {
  const sorted = cases
    .map((each) => ({ caseId: each.caseId, dice: diceOf(each) ?? 2 }))
    .sort((a, b) => a.dice - b.dice || (a.caseId < b.caseId ? -1 : 1));
  const shown = Math.min(count, sorted.length);
  return Array.from(
    { length: shown },
    (_, index) => sorted[shown === 1 ? 0 : Math.round((index * (sorted.length - 1)) / (shown - 1))]!.caseId,
  );
}

const only = (mask: Mask, label: number): Mask => ({
  ...mask,
  data: mask.data.map((value) => (value === label ? 1 : 0)),
});
