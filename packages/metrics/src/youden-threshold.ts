import { checkLabelled, type Values } from './check-input.js';
import { scoreGroups } from './score-groups.js';

/**
 * The score at which sensitivity + specificity - 1 is largest (score >= threshold counts as positive). Of several equal
 * maxima, the highest threshold: the one that calls the fewest cases positive. Choose it on validation cases, never on the
 * cases whose metrics are reported.
 *
 * @throws MetricsError as `rocAuc`
 * @see Youden 1950, Cancer 3:32
 * @example
 * youdenThreshold([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) // 0.8
 */
export function youdenThreshold(labels: Values, scores: Values): number {
  const { positives, negatives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  let tp = 0;
  let fp = 0;
  let best = -Infinity;
  let threshold = groups.thresholds[0]!;
  groups.thresholds.forEach((value, g) => {
    tp += groups.positives[g]!;
    fp += groups.negatives[g]!;
    const index = tp * negatives - fp * positives; // J P N, whole numbers: ties are exact
    if (index > best) {
      best = index;
      threshold = value;
    }
  });
  return threshold;
}
