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

/** One row a case; `case-0012` is the twelfth row of the manifest. Numbers are printed so that they read back exactly. */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  return csvTable([COLUMNS, ...predictions.map(cells)]);
}

/** Test and external cases of all trials: the columns of one trial's file, then what tells the trials apart. */
export function pooledPredictionsCsv(trials: readonly CollectedTrial[]): string {
  const rows = trials.flatMap(({ result, predictions }) =>
    predictions
      .filter(({ split }) => split !== 'validation')
      .map((each) => [...cells(each), result.fold, result.repetition, result.seed, result.variant]),
  );
  return csvTable([[...COLUMNS, 'fold', 'repetition', 'seed', 'variant'], ...rows]);
}

const cells = (each: Prediction) => [
  each.caseId,
  each.split,
  each.label,
  each.logit,
  each.probability,
  each.lesionVolumeMm3,
  each.volumeOnlyProbability,
];

/** Reads what these functions wrote; `variant` (the last column, which alone may be quoted) where the file has it. */
export function readPredictions(text: string): (Prediction & { variant?: string })[] {
  const [header, ...rows] = text
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  const at = Object.fromEntries((header as string[]).map((name, i) => [name, i]));
  return rows.map((row) => {
    const cell = (name: (typeof COLUMNS)[number]) => row[at[name] as number] as string;
    return {
      caseId: cell('case'),
      split: cell('split') as Prediction['split'],
      label: Number(cell('label')) as 0 | 1,
      logit: Number(cell('logit')),
      probability: Number(cell('probability')),
      lesionVolumeMm3: Number(cell('lesion_volume_mm3')),
      volumeOnlyProbability: Number(cell('volume_only_probability')),
      ...(at.variant !== undefined && { variant: row.slice(at.variant).join(',') }),
    };
  });
}
