import type { CohortCase } from '@onco-response/cohort';
import { youdenThreshold } from '@onco-response/metrics';
import { fitPipeline, type Row } from '@onco-response/tabular';
import type { CasesBySplit } from './study-folds.js';

/** Named as the report's roles. */
export const CLINICAL_BASELINES = ['clinicalOnly', 'volumeAndClinical'] as const;
export type ClinicalBaseline = (typeof CLINICAL_BASELINES)[number];

/** One number for each baseline: a case's probabilities, or the thresholds. */
export type OfBaselines = Record<ClinicalBaseline, number>;

export const BASELINE_NAMES: Record<ClinicalBaseline, string> = {
  clinicalOnly: 'Clinical variables only',
  volumeAndClinical: 'Lesion volume and clinical variables',
};

/** Beyond that a column is free text or a name. */
const MAX_CATEGORIES = 24;
const LOG_VOLUME = 'log lesion volume';

/**
 * What clinical variables say without the image, alone and with the logarithm of the lesion's volume: logistic regressions
 * (L2, C = 1) whose imputation, standardisation and coefficients come from a fold's training cases, and whose thresholds
 * come from its validation cases. The columns are those that the study names (`model.clinical`), else all of the table's
 * that training cases fill; undefined where there are none.
 */
export function fitClinicalBaselines({
  bySplit: { train, validation },
  external,
  named,
  logVolume,
}: {
  bySplit: CasesBySplit;
  external: readonly CohortCase[];
  named: readonly string[];
  logVolume: (each: CohortCase) => number;
}): { predict: (cases: readonly CohortCase[]) => OfBaselines[]; thresholds: OfBaselines } | undefined {
  const columns = usableColumns(train, external, named);
  if (columns.length === 0) return undefined;
  const words = new Set(
    columns.filter((name) => train.some(({ clinical }) => typeof clinical[name] === 'string')),
  );
  const rowOf = (each: CohortCase): Row => ({
    ...Object.fromEntries(
      columns.map((name) => [name, readAs(each.clinical[name] ?? null, words.has(name))]),
    ),
    [LOG_VOLUME]: logVolume(each),
  });
  const labels = train.map(({ label }) => label);
  const categorical = columns.filter((name) => words.has(name));
  const numeric = columns.filter((name) => !words.has(name));
  const fit = (volume: string[]) =>
    fitPipeline(train.map(rowOf), labels, { numeric: [...numeric, ...volume], categorical });
  const models = { clinicalOnly: fit([]), volumeAndClinical: fit([LOG_VOLUME]) };
  const predict = (cases: readonly CohortCase[]) => {
    const rows = cases.map(rowOf);
    const said = forEachBaseline((name) => models[name].probabilities(rows));
    return cases.map((_, i) => forEachBaseline((name) => said[name][i] as number));
  };
  const held = predict(validation);
  const heldLabels = validation.map(({ label }) => label);
  return {
    predict,
    thresholds: forEachBaseline((name) =>
      youdenThreshold(
        heldLabels,
        held.map((each) => each[name]),
      ),
    ),
  };
}

export const forEachBaseline = <T>(compute: (name: ClinicalBaseline) => T): Record<ClinicalBaseline, T> => ({
  clinicalOnly: compute('clinicalOnly'),
  volumeAndClinical: compute('volumeAndClinical'),
});

function usableColumns(
  train: readonly CohortCase[],
  external: readonly CohortCase[],
  named: readonly string[],
): string[] {
  const columns = named.length > 0 ? named : Object.keys(train[0]?.clinical ?? {});
  return columns.filter((name) => {
    const values = train.map(({ clinical }) => clinical[name] ?? null).filter((value) => value !== null);
    const texts = new Set(values.filter((value) => typeof value === 'string'));
    return (
      values.length > 0 &&
      texts.size <= MAX_CATEGORIES &&
      external.every(({ clinical }) => Object.hasOwn(clinical, name))
    );
  });
}

/** Another table may hold a column of numbers as words, or the other way round. */
function readAs(value: string | number | null, word: boolean): string | number | null {
  if (value === null) return null;
  if (word) return String(value);
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
