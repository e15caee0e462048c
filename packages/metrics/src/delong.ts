import { checkLevel, type Values } from './check-input.js';
import { aucCovariance, differenceOf, structuralComponents } from './delong-components.js';
import { normalInterval, normalTwoSided } from './distributions.js';
import { MetricsError } from './metrics-error.js';

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
  const shared = aucCovariance(a, b);
  const difference = differenceOf(a, b);
  const variance = aucCovariance(difference, difference);
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
      [aucCovariance(a, a), shared],
      [shared, aucCovariance(b, b)],
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
  const components = structuralComponents(labels, scores, 'scores');
  const { auc } = components;
  const standardError = Math.sqrt(aucCovariance(components, components));
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
