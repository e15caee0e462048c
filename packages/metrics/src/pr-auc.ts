import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/**
 * Area under the precision-recall curve as average precision: the sum over thresholds of (R_k - R_{k-1}) P_k, without
 * interpolation (which is too optimistic). Its chance level is the prevalence, so state the positive class and the
 * prevalence beside it.
 *
 * @throws MetricsError as `rocAuc`
 * @see scikit-learn `average_precision_score`; Davis and Goadrich 2006
 * @example
 * prAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) // 0.8333
 */
export function prAuc(labels: Values, scores: Values): number {
  const { positives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  let tp = 0;
  let predicted = 0;
  let sum = 0;
  for (let g = 0; g < groups.thresholds.length; g++) {
    tp += groups.positives[g]!;
    predicted += groups.positives[g]! + groups.negatives[g]!;
    sum += groups.positives[g]! * (tp / predicted);
  }
  return sum / positives;
}
