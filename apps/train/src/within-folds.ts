import {
  type CrossValidatedAuc,
  type CrossValidatedAucDifference,
  crossValidatedAuc,
  crossValidatedAucDifference,
  MetricsError,
} from '@onco-response/metrics';
import { showInterval, showP } from './table.js';

/** A value, or why there is none. */
export type OrReason<T> = T | { notDefined: string };

/** Rows of one model's out-of-fold predictions: a case once for each fold that tested it. */
export interface FoldRows {
  labels: readonly number[];
  folds: readonly string[];
  /** The patient of each row. */
  clusters: readonly string[];
  level: number;
}

/**
 * The AUC of cases that one model scored, averaged over the folds. A pooled AUC also compares cases of different folds: where
 * a study balances its cases (matched pairs, few patients) that is biased downwards, as what a fold has too many of its model
 * was trained on too few of.
 */
export function aucWithinFolds(
  { labels, folds, ...options }: FoldRows,
  scores: readonly number[],
): OrReason<CrossValidatedAuc> {
  return orReason(() => crossValidatedAuc(labels, scores, folds, options));
}

export function differenceWithinFolds(
  { labels, folds, ...options }: FoldRows,
  scores: readonly number[],
  others: readonly number[],
): OrReason<CrossValidatedAucDifference> {
  return orReason(() => crossValidatedAucDifference(labels, scores, others, folds, options));
}

function orReason<T>(compute: () => T): OrReason<T> {
  try {
    return compute();
  } catch (error) {
    if (!MetricsError.isInstance(error)) throw error;
    return { notDefined: error.message };
  }
}

/** A sentence of the report. */
export function sayAucWithinFolds(name: string, value: OrReason<CrossValidatedAuc>, level: number): string {
  if ('notDefined' in value) return `${name}, within folds: ${value.notDefined}`;
  const folds = `${value.folds} ${value.folds === 1 ? 'fold' : 'folds'}`;
  return `${name}: mean AUC within ${folds} ${showInterval({ estimate: value.auc, ...value })} (${Math.round(1000 * level) / 10}% interval of the influence function, LeDell 2015). Pooled AUCs above compare cases of different folds too, whose models differ.`;
}

/** A sentence of the report. */
export function sayDifferenceWithinFolds(
  name: string,
  other: string,
  value: OrReason<CrossValidatedAucDifference>,
): string {
  return 'notDefined' in value
    ? `${name} against ${other}, within folds: ${value.notDefined}`
    : `${name} against ${other}, within folds: AUC difference ${showInterval({ estimate: value.difference, ...value })}, p ${showP(value.p)}.`;
}
