import { CLINICAL_BASELINES, forEachBaseline } from './clinical-baselines.js';
import type { CollectedTrial } from './pool-cases.js';
import type { Prediction } from './predict-trial.js';
import { csvTable } from './table.js';

const COLUMNS = [
  'case',
  'split',
  'label',
  'logit',
  'probability',
  'lesion_volume_mm3',
  'volume_only_probability',
] as const;
/** Columns of cohorts with clinical columns. */
const BASELINE_COLUMNS = {
  clinicalOnly: 'clinical_only_probability',
  volumeAndClinical: 'volume_and_clinical_probability',
};

/** One row a case; `case-0012` is the twelfth row of the manifest. Numbers are printed so that they read back exactly. */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  return csvTable([columnsOf(predictions), ...predictions.map(cells)]);
}

/** Test and external cases of all trials: the columns of one trial's file, then what tells the trials apart. */
export function pooledPredictionsCsv(trials: readonly CollectedTrial[]): string {
  const rows = trials.flatMap(({ result, predictions }) =>
    predictions
      .filter(({ split }) => split !== 'validation')
      .map((each) => [...cells(each), result.fold, result.repetition, result.seed, result.variant]),
  );
  return csvTable([
    [...columnsOf(trials.flatMap(({ predictions }) => predictions)), 'fold', 'repetition', 'seed', 'variant'],
    ...rows,
  ]);
}

const cells = (each: Prediction) => [
  each.caseId,
  each.split,
  each.label,
  each.logit,
  each.probability,
  each.lesionVolumeMm3,
  each.volumeOnlyProbability,
  ...(each.baselines ? CLINICAL_BASELINES.map((name) => each.baselines?.[name] as number) : []),
];

const columnsOf = ([first]: readonly Prediction[]) => [
  ...COLUMNS,
  ...(first?.baselines ? CLINICAL_BASELINES.map((name) => BASELINE_COLUMNS[name]) : []),
];

/** Reads what these functions wrote; `variant` (the last column, which alone may be quoted) where the file has it. */
export function readPredictions(text: string): (Prediction & { variant?: string })[] {
  const [header, ...rows] = text
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  const at = Object.fromEntries((header as string[]).map((name, i) => [name, i]));
  return rows.map((row) => {
    const cell = (name: string) => row[at[name] as number] as string;
    return {
      caseId: cell('case'),
      split: cell('split') as Prediction['split'],
      label: Number(cell('label')) as 0 | 1,
      logit: Number(cell('logit')),
      probability: Number(cell('probability')),
      lesionVolumeMm3: Number(cell('lesion_volume_mm3')),
      volumeOnlyProbability: Number(cell('volume_only_probability')),
      ...(at[BASELINE_COLUMNS.clinicalOnly] !== undefined && {
        baselines: forEachBaseline((name) => Number(cell(BASELINE_COLUMNS[name]))),
      }),
      ...(at.variant !== undefined && { variant: row.slice(at.variant).join(',') }),
    };
  });
}
