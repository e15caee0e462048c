import type { Prediction } from './evaluation.js';

const COLUMNS = [
  'case',
  'split',
  'label',
  'logit',
  'probability',
  'lesion_volume_mm3',
  'volume_only_probability',
];

/** One row a case; `case-0012` is the twelfth row of the manifest. Numbers are printed so that they read back exactly. */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  const rows = predictions.map((each) =>
    [
      each.caseId,
      each.split,
      each.label,
      each.logit,
      each.probability,
      each.lesionVolumeMm3,
      each.volumeOnlyProbability,
    ].join(','),
  );
  return `${[COLUMNS.join(','), ...rows].join('\n')}\n`;
}
