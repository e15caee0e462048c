import { reportFiles } from '@onco-response/report';
import { defined, type PooledTable, type TabularEvaluation, tableSubgroups } from './tabular-evaluation.js';
import type { TabularStudy } from './tabular-study.js';
import type { TabularCase } from './tabular-table.js';
import { sayAucWithinFolds, sayDifferenceWithinFolds } from './within-folds.js';

interface TabularReportInput {
  study: TabularStudy;
  cases: readonly TabularCase[];
  pooled: PooledTable;
  evaluation: TabularEvaluation;
  parts: { name: string; cases: readonly TabularCase[] }[];
  warnings: string[];
  run: Record<string, string | number>;
}

/** The report of a study of a table, its checklists, model card and tables: each file's text by its path. */
export function tabularReport({
  study,
  cases,
  pooled,
  evaluation,
  parts,
  warnings,
  run,
}: TabularReportInput): Record<string, string> {
  const { labels, clusters, models } = pooled;
  const { decision } = study.evaluation;
  const subgroups = tableSubgroups(pooled, study);
  const [first] = evaluation.models as [TabularEvaluation['models'][number]];
  return reportFiles({
    title: study.name,
    synthetic: study.synthetic,
    positiveClass: study.positiveClass,
    target: study.target,
    cohort: {
      ...countCases(cases),
      perSplit: parts.map((part) => ({ split: part.name, ...countCases(part.cases) })),
    },
    models: models.map(({ name, role, features, probabilities, thresholds }, i) => ({
      name,
      description: `logistic regression on ${features.join(', ')}`,
      labels,
      scores: probabilities,
      threshold: thresholds,
      ...(clusters && { clusters }),
      ...(role && { role }),
      evaluation: evaluation.models[i] as TabularEvaluation['models'][number],
    })),
    threshold: {
      value: first.threshold,
      chosenOn: 'validation',
      rule: thresholdRule(study),
    },
    bootstrap: evaluation.bootstrap,
    attention: [],
    ...(decision && { decision: defined(decision) }),
    ...(subgroups.length > 0 && { subgroups }),
    study: { modelKind: 'tabular' },
    run,
    warnings,
    notes: [...predictionNotes(study), ...withinFoldNotes(evaluation)],
  });
}

const thresholdRule = ({ split, folds }: TabularStudy) =>
  split?.validation !== undefined
    ? 'the largest Youden index on the validation cases of the given split'
    : `for each case by the models that never saw it: the largest Youden index on the out-of-fold predictions of ${folds.innerFolds} inner folds of their training cases; shown is the mean`;

function predictionNotes({ split, folds, regression, calibration }: TabularStudy): string[] {
  const scaled =
    calibration === 'platt' ? 'calibrated by Platt scaling on inner validation folds' : 'not calibrated';
  return [
    split
      ? `Models are fitted on the training cases of the column ${split.column} and tested on its test cases; probabilities are ${scaled}.`
      : `Every prediction is out of fold: ${folds.folds}-fold cross-validation by patient, ${folds.repetitions} times, stratified by outcome${folds.stratifyBy.length > 0 ? ` and ${folds.stratifyBy.join(', ')}` : ''}. Probabilities are ${scaled}, and averaged over repetitions.`,
    `Imputation by the median, standardisation and the regression (L2, C = ${regression.c}) are fitted on each fold's training cases only.`,
  ];
}

/** The cross-validated AUCs, whose pairs are of one fold. */
function withinFoldNotes({ models, comparisons, bootstrap }: TabularEvaluation): string[] {
  const first = (models[0] as TabularEvaluation['models'][number]).name;
  return [
    ...models.map(({ name, withinFolds }) => sayAucWithinFolds(name, withinFolds, bootstrap.level)),
    ...comparisons.map(({ name, withinFolds }) => sayDifferenceWithinFolds(first, name, withinFolds)),
  ];
}

export function countCases(cases: readonly TabularCase[]) {
  return {
    cases: cases.length,
    patients: new Set(cases.map(({ patient }) => patient)).size,
    positives: cases.filter(({ label }) => label === 1).length,
  };
}
