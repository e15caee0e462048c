import { checkLabelled, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { scoreGroups } from './score-groups.js';

export interface OperatingPoint {
  /** score >= threshold counts as positive; Infinity when nobody is to be called positive */
  threshold: number;
  sensitivity: number;
  specificity: number;
}

/**
 * The best sensitivity among thresholds whose specificity is at least `specificity`, without interpolation: a point that the
 * scores can realise. Tied scores stay together. Of equal sensitivities, the point of the higher specificity. It always
 * exists: calling nobody positive has specificity 1. Choose thresholds on validation cases only.
 *
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION` unless 0 <= specificity <= 1
 * @see pROC `coords(x, input = 'specificity')`, which interpolates
 * @example
 * sensitivityAtSpecificity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.9) // { threshold: 0.8, sensitivity: 0.5, specificity: 1 }
 */
export function sensitivityAtSpecificity(
  labels: Values,
  scores: Values,
  specificity: number,
): OperatingPoint {
  checkTarget(specificity, 'specificity');
  const points = operatingPoints(labels, scores);
  let best = points[0]!;
  for (const point of points) {
    if (point.specificity >= specificity && point.sensitivity > best.sensitivity) best = point;
  }
  return best;
}

/**
 * The best specificity among thresholds whose sensitivity is at least `sensitivity`, without interpolation. Of equal
 * specificities, the point of the higher sensitivity. It always exists: calling everybody positive has sensitivity 1.
 *
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION` unless 0 <= sensitivity <= 1
 * @example
 * specificityAtSensitivity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.9) // { threshold: 0.35, sensitivity: 1, specificity: 0.5 }
 */
export function specificityAtSensitivity(
  labels: Values,
  scores: Values,
  sensitivity: number,
): OperatingPoint {
  checkTarget(sensitivity, 'sensitivity');
  const points = operatingPoints(labels, scores).reverse();
  let best = points[0]!;
  for (const point of points) {
    if (point.sensitivity >= sensitivity && point.specificity > best.specificity) best = point;
  }
  return best;
}

function checkTarget(value: number, name: string): void {
  if (!(value >= 0 && value <= 1)) {
    throw new MetricsError({ code: 'INVALID_OPTION', message: `${name} is ${value}: give 0 to 1.` });
  }
}

/** From "nobody is positive" to "everybody is". Shares of whole counts, so that 9 of 10 is the same number as 0.9. */
function operatingPoints(labels: Values, scores: Values): OperatingPoint[] {
  const { positives, negatives } = checkLabelled(labels, scores);
  const groups = scoreGroups(labels, scores, positives);
  const points: OperatingPoint[] = [{ threshold: Number.POSITIVE_INFINITY, sensitivity: 0, specificity: 1 }];
  let tp = 0;
  let tn = negatives;
  groups.thresholds.forEach((threshold, g) => {
    tp += groups.positives[g]!;
    tn -= groups.negatives[g]!;
    points.push({ threshold, sensitivity: tp / positives, specificity: tn / negatives });
  });
  return points;
}
