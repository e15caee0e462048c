import { checkLabelled, checkLevel, type Values } from './check-input.js';
import { normalInterval, normalTwoSided } from './distributions.js';
import { MetricsError } from './metrics-error.js';
import { midranks } from './midranks.js';

export interface DelongTest {
  aucA: number;
  aucB: number;
  /** of (aucA, aucB), 2 x 2 */
  covariance: [[number, number], [number, number]];
  /** (aucA - aucB) / its standard error: positive when A is better */
  z: number;
  /** two-sided */
  p: number;
}

export interface AucInterval {
  auc: number;
  lower: number;
  upper: number;
  standardError: number;
}

/**
 * DeLong's test for two correlated ROC curves on the same cases, in the O(n log n) form of Sun and Xu with midranks for
 * ties. Cases count as independent: for several lesions of one patient use `bootstrapDifferenceCi` with `clusters`.
 *
 * Scores that rank every case alike give z = 0, p = 1.
 *
 * @throws MetricsError as `rocAuc`; `TOO_FEW` with fewer than two cases of a class; `NO_VARIANCE` when the AUCs differ
 *   although neither varies (one model perfect and the other constant, for example)
 * @see DeLong et al. 1988, Biometrics 44:837; Sun and Xu 2014, IEEE Signal Process Lett 21:1389
 * @example
 * delongTest([0, 0, 1, 1, 1], [0.1, 0.6, 0.5, 0.7, 0.9], [0.3, 0.4, 0.2, 0.5, 0.6]).p // 0.480
 */
export function delongTest(labels: Values, scoresA: Values, scoresB: Values): DelongTest {
  const a = structuralComponents(labels, scoresA, 'scoresA');
  const b = structuralComponents(labels, scoresB, 'scoresB');
  const covarianceOf = (x: Components, y: Components) =>
    covariance(x.positive, y.positive) / x.positive.length +
    covariance(x.negative, y.negative) / x.negative.length;
  const shared = covarianceOf(a, b);
  // The variance of the difference is taken from the differences themselves: it is then exactly 0 for equal rankings.
  const difference: Components = {
    auc: a.auc - b.auc,
    positive: a.positive.map((value, i) => value - b.positive[i]!),
    negative: a.negative.map((value, i) => value - b.negative[i]!),
  };
  const variance = covarianceOf(difference, difference);
  if (variance === 0 && difference.auc !== 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message: `AUCs ${a.auc} and ${b.auc} differ but have no sampling variance, so DeLong's z is infinite. Report the two AUCs alone.`,
    });
  }
  const z = variance === 0 ? 0 : difference.auc / Math.sqrt(variance);
  return {
    aucA: a.auc,
    aucB: b.auc,
    covariance: [
      [covarianceOf(a, a), shared],
      [shared, covarianceOf(b, b)],
    ],
    z,
    p: normalTwoSided(z),
  };
}

/**
 * The AUC with DeLong's standard error and interval. `wald` is auc +- z se cut to [0, 1]; `logit` takes the interval on the
 * log-odds of the AUC, which is better near 1 and needs an AUC strictly between 0 and 1.
 *
 * @throws MetricsError as `delongTest`; `NO_VARIANCE` for `logit` at an AUC of 0 or 1
 * @example
 * delongCi([0, 0, 1, 1, 1], [0.1, 0.6, 0.5, 0.7, 0.9], { level: 0.95 }).lower // 0.37
 */
export function delongCi(
  labels: Values,
  scores: Values,
  { level = 0.95, method = 'wald' }: { level?: number; method?: 'wald' | 'logit' } = {},
): AucInterval {
  checkLevel(level);
  const { auc, positive, negative } = structuralComponents(labels, scores, 'scores');
  const standardError = Math.sqrt(
    covariance(positive, positive) / positive.length + covariance(negative, negative) / negative.length,
  );
  const z = normalInterval(level);
  if (method === 'wald') {
    return {
      auc,
      lower: Math.max(0, auc - z * standardError),
      upper: Math.min(1, auc + z * standardError),
      standardError,
    };
  }
  if (method !== 'logit') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `method is ${String(method)}: give 'wald' or 'logit'.`,
    });
  }
  if (auc === 0 || auc === 1) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message: `The AUC is ${auc}, whose log-odds are infinite: use method 'wald' or bootstrapCi.`,
    });
  }
  const logit = Math.log(auc / (1 - auc));
  const half = (z * standardError) / (auc * (1 - auc));
  const expit = (x: number) => 1 / (1 + Math.exp(-x));
  return { auc, lower: expit(logit - half), upper: expit(logit + half), standardError };
}

interface Components {
  auc: number;
  /** V10 [P]: for each positive, the share of negatives it beats */
  positive: Float64Array;
  /** V01 [N]: for each negative, the share of positives that beat it */
  negative: Float64Array;
}

/** Sun and Xu, equations 5 to 8: a rank among all minus the rank in one's own class counts the other class. */
function structuralComponents(labels: Values, scores: Values, name: string): Components {
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
  const all = new Float64Array(labels.length);
  all.set(positiveScores);
  all.set(negativeScores, positives);
  const ranks = midranks(all);
  const ownPositive = midranks(positiveScores);
  const ownNegative = midranks(negativeScores);
  const positive = ownPositive.map((own, i) => (ranks[i]! - own) / negatives);
  const negative = ownNegative.map((own, i) => 1 - (ranks[positives + i]! - own) / positives);
  const rankSum = ranks.subarray(0, positives).reduce((sum, rank) => sum + rank, 0);
  return { auc: (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives), positive, negative };
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
