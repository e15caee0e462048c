import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/** One entry a threshold, from "nobody is positive" to "everybody is". */
export interface RocCurve {
  /** 1 - specificity */
  fpr: number[];
  /** sensitivity */
  tpr: number[];
  /** score >= threshold counts as positive; the first is Infinity */
  thresholds: number[];
}

/**
 * The ROC curve at every distinct score, from (0, 0) to (1, 1). No point is dropped: scikit-learn's `roc_curve` with
 * `drop_intermediate=False`.
 *
 * @throws MetricsError as `rocAuc`
 * @example
 * rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).tpr // [0, 0.5, 0.5, 1, 1]
 */
export function rocCurve(labels: Values, scores: Values): RocCurve {
  const { positives, negatives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  const curve: RocCurve = { fpr: [0], tpr: [0], thresholds: [Number.POSITIVE_INFINITY] };
  let tp = 0;
  let fp = 0;
  groups.thresholds.forEach((threshold, g) => {
    tp += groups.positives[g]!;
    fp += groups.negatives[g]!;
    curve.fpr.push(fp / negatives);
    curve.tpr.push(tp / positives);
    curve.thresholds.push(threshold);
  });
  return curve;
}
