import { checkLabelled, checkThreshold, type Values } from './check-input.js';

/** Counts of cases; score >= threshold counts as positive. */
export interface Confusion {
  tp: number;
  fp: number;
  tn: number;
  fn: number;
}

/**
 * The confusion matrix at a threshold.
 *
 * @throws MetricsError as `rocAuc`, and `INVALID_OPTION` for a threshold that is not a number
 * @example
 * confusion([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.4) // { tp: 1, fp: 1, tn: 1, fn: 1 }
 */
export function confusion(labels: Values, scores: Values, threshold: number): Confusion {
  checkLabelled(labels, scores);
  checkThreshold(threshold);
  const counts: Confusion = { tp: 0, fp: 0, tn: 0, fn: 0 };
  for (let i = 0; i < labels.length; i++) {
    const positive = scores[i]! >= threshold;
    if (labels[i] === 1) positive ? counts.tp++ : counts.fn++;
    else positive ? counts.fp++ : counts.tn++;
  }
  return counts;
}
