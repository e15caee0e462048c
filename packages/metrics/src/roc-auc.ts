import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/**
 * Area under the ROC curve: the chance that a random positive scores higher than a random negative, a tie counting half.
 * U / (P N) with the Mann-Whitney U, exact, O(n log n).
 *
 * @param labels 0 or 1, one a case
 * @param scores any real score; higher means more positive
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INVALID_LABEL`, `ONE_CLASS`
 * @see Hanley and McNeil 1982, Radiology 143:29; scikit-learn `roc_auc_score`
 * @example
 * rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) // 0.75
 */
export function rocAuc(labels: Values, scores: Values): number {
  const { positives, negatives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  let higherPositives = 0;
  let wins = 0;
  for (let g = 0; g < groups.thresholds.length; g++) {
    wins += groups.negatives[g]! * (higherPositives + groups.positives[g]! / 2);
    higherPositives += groups.positives[g]!;
  }
  return wins / (positives * negatives);
}
