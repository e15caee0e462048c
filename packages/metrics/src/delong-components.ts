import { checkLabelled, type Values } from './check-input.js';
import { belowCounter } from './count-below.js';
import { MetricsError } from './metrics-error.js';

export interface Components {
  auc: number;
  /** V10 [P]: for each positive, the share of negatives it beats */
  positive: Float64Array;
  /** V01 [N]: for each negative, the share of positives that beat it */
  negative: Float64Array;
}

/** DeLong's placement values. Sun and Xu count the other class by differences of midranks; the sums here are the same. */
export function structuralComponents(labels: Values, scores: Values, name: string): Components {
  const { positives, negatives } = checkLabelled(labels, scores, name);
  if (positives < 2 || negatives < 2) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `DeLong's variance needs two cases of each class; there are ${positives} positives and ${negatives} negatives.`,
    });
  }
  const positiveScores = new Float64Array(positives);
  const negativeScores = new Float64Array(negatives);
  for (let i = 0, p = 0, n = 0; i < labels.length; i++) {
    if (labels[i] === 1) positiveScores[p++] = scores[i]!;
    else negativeScores[n++] = scores[i]!;
  }
  const negativesBelow = belowCounter(negativeScores.slice().sort());
  const positivesBelow = belowCounter(positiveScores.slice().sort());
  let wins = 0;
  const positive = new Float64Array(positives);
  for (let p = 0; p < positives; p++) {
    const beaten = negativesBelow(positiveScores[p]!);
    wins += beaten;
    positive[p] = beaten / negatives;
  }
  const negative = new Float64Array(negatives);
  for (let n = 0; n < negatives; n++) negative[n] = 1 - positivesBelow(negativeScores[n]!) / positives;
  return { auc: wins / (positives * negatives), positive, negative };
}

/** The variance of the difference is taken from the differences themselves: it is then exactly 0 for equal rankings. */
export function differenceOf(a: Components, b: Components): Components {
  return {
    auc: a.auc - b.auc,
    positive: a.positive.map((value, i) => value - b.positive[i]!),
    negative: a.negative.map((value, i) => value - b.negative[i]!),
  };
}

/** DeLong's covariance of two AUCs of the same cases: cov(V10)/m + cov(V01)/n. */
export function aucCovariance(x: Components, y: Components): number {
  return (
    covariance(x.positive, y.positive) / x.positive.length +
    covariance(x.negative, y.negative) / x.negative.length
  );
}

/** Sample covariance (n - 1). Values are shifted by the first, so that constants give exactly 0. */
function covariance(x: Float64Array, y: Float64Array): number {
  const [x0, y0] = [x[0]!, y[0]!];
  let sumX = 0;
  let sumY = 0;
  for (let i = 0; i < x.length; i++) {
    sumX += x[i]! - x0;
    sumY += y[i]! - y0;
  }
  const [meanX, meanY] = [sumX / x.length, sumY / x.length];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - x0 - meanX) * (y[i]! - y0 - meanY);
  return sum / (x.length - 1);
}
