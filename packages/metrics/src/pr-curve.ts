import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/** In the order of rising thresholds; `precision` and `recall` have one entry more, the end point (1, 0). */
export interface PrCurve {
  precision: number[];
  recall: number[];
  thresholds: number[];
}

/**
 * The precision-recall curve at every distinct score, laid out as scikit-learn's `precision_recall_curve`.
 *
 * @throws MetricsError as `rocAuc`
 * @example
 * prCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).recall // [1, 1, 0.5, 0.5, 0]
 */
export function prCurve(labels: Values, scores: Values): PrCurve {
  const { positives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  const curve: PrCurve = { precision: [1], recall: [0], thresholds: [] };
  let tp = 0;
  let predicted = 0;
  groups.thresholds.forEach((threshold, g) => {
    tp += groups.positives[g]!;
    predicted += groups.positives[g]! + groups.negatives[g]!;
    curve.precision.push(tp / predicted);
    curve.recall.push(tp / positives);
    curve.thresholds.push(threshold);
  });
  curve.precision.reverse();
  curve.recall.reverse();
  curve.thresholds.reverse();
  return curve;
}
