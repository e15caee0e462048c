import { decisionCurve } from '@onco-response/metrics';
import { analyseDecisions, analyseSubgroups, compareBaselines, evaluateModel } from '@onco-response/report';
import { subgroupColumns } from './subgroups.js';
import type { TabularPrediction } from './tabular-predict.js';
import type { TabularStudy } from './tabular-study.js';
import type { TabularCase } from './tabular-table.js';
import { aucWithinFolds, differenceWithinFolds } from './within-folds.js';

/** A model's predictions, one a case: the means over repetitions, in the order of the table. */
export interface PooledModel {
  name: string;
  role: TabularStudy['models'][number]['role'];
  features: string[];
  probabilities: number[];
  /** The mean of the thresholds of the models that never saw the case. */
  thresholds: number[];
}

export interface PooledTable {
  cases: TabularCase[];
  labels: number[];
  /** The patient of each case where some patient has several. */
  clusters: string[] | undefined;
  models: PooledModel[];
}

export type TabularEvaluation = ReturnType<typeof evaluateTable>;

export function poolTable(predictions: readonly TabularPrediction[], study: TabularStudy): PooledTable {
  const byModel = study.models.map((model) => {
    const byCase = new Map<string, TabularPrediction[]>();
    for (const each of predictions) {
      if (each.model !== model.name) continue;
      const own = byCase.get(each.each.caseId);
      if (own) own.push(each);
      else byCase.set(each.each.caseId, [each]);
    }
    const rows = [...byCase].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own);
    return { model, rows };
  });
  const cases = (byModel[0] as (typeof byModel)[number]).rows.map(
    ([first]) => (first as TabularPrediction).each,
  );
  const patients = cases.map(({ patient }) => patient);
  return {
    cases,
    labels: cases.map(({ label }) => label),
    clusters: new Set(patients).size < patients.length ? patients : undefined,
    models: byModel.map(({ model: { name, role, features }, rows }) => ({
      name,
      role,
      features,
      probabilities: rows.map((own) => mean(own.map(({ probability }) => probability))),
      thresholds: rows.map((own) => mean(own.map(({ threshold }) => threshold))),
    })),
  };
}

/**
 * Every number of the study. `withinFolds` compares cases of one fold only, which is what one model says of cases that it
 * never saw; all else is of each case's mean probability over repetitions.
 */
export function evaluateTable(
  predictions: readonly TabularPrediction[],
  pooled: PooledTable,
  study: TabularStudy,
) {
  const { resamples, level, decision = {} } = study.evaluation;
  const bootstrap = { resamples, level, seed: study.seed };
  const { labels, clusters, models } = pooled;
  const options = { bootstrap, ...(clusters && { clusters }) };
  const ofModel = new Map(
    models.map(({ name }) => [name, predictions.filter((each) => each.model === name)]),
  );
  const rows = ofModel.get((models[0] as PooledModel).name) as TabularPrediction[];
  const folds = rows.map(({ fold }) => fold);
  const rowLabels = rows.map(({ each }) => each.label);
  const foldRows = { labels: rowLabels, folds, clusters: rows.map(({ each }) => each.patient), level };
  const scores = (name: string) =>
    (ofModel.get(name) as TabularPrediction[]).map(({ probability }) => probability);
  const [main, ...others] = models as [PooledModel, ...PooledModel[]];
  const decisions = analyseDecisions(labels, main.probabilities, defined(decision), options);
  const thresholdProbabilities = decisions.curve.map(({ threshold }) => threshold);
  return {
    bootstrap,
    models: models.map(({ name, role, features, probabilities, thresholds }) => ({
      name,
      role: role ?? null,
      features,
      withinFolds: aucWithinFolds(foldRows, scores(name)),
      ...evaluateModel(labels, probabilities, { threshold: thresholds, ...options }),
      decisionCurve: decisionCurve(labels, probabilities, thresholdProbabilities),
    })),
    /** The first model against each other one. */
    comparisons: compareBaselines(
      labels,
      main.probabilities,
      others.map(({ name, probabilities, thresholds }) => ({
        name,
        scores: probabilities,
        threshold: thresholds,
      })),
      { threshold: main.thresholds, ...options },
    ).map((comparison) => ({
      ...comparison,
      withinFolds: differenceWithinFolds(foldRows, scores(main.name), scores(comparison.name)),
    })),
    decisions,
    subgroups: tableSubgroups(pooled, study).map((column) =>
      analyseSubgroups(labels, main.probabilities, column, { threshold: main.thresholds, ...options }),
    ),
  };
}

/** The study's subgroup columns with a value for each case. */
export function tableSubgroups({ cases }: PooledTable, { subgroups }: TabularStudy) {
  return subgroupColumns(cases, subgroups, ({ row }, column) => row[column] ?? null);
}

/** Without the keys that are undefined, which `exactOptionalPropertyTypes` tells from absent ones. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
