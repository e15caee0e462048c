import { csvTable } from './table.js';
import type { TabularPrediction } from './tabular-predict.js';
import type { TabularStudy } from './tabular-study.js';

const COLUMNS = [
  'case',
  'patient',
  'label',
  'fold',
  'repetition',
  'model',
  'logit',
  'probability',
  'threshold',
];

/**
 * One row for each case, repetition and model, and the columns that subgroups are made of: every number of the report follows
 * from it. `case-0012` is the twelfth row of the table; no patient of the table is named.
 */
export function tabularPredictionsCsv(
  predictions: readonly TabularPrediction[],
  { subgroups }: TabularStudy,
): string {
  const columns = subgroups.map(({ column }) => column);
  return csvTable([
    [...COLUMNS, ...columns.map((column) => `subgroup ${column}`)],
    ...predictions.map(({ each, fold, repetition, model, logit, probability, threshold }) => [
      each.caseId,
      each.patient,
      each.label,
      fold,
      repetition,
      model,
      logit,
      probability,
      threshold,
      ...columns.map((column) => each.row[column] ?? ''),
    ]),
  ]);
}
