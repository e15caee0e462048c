import { checkLevel, type Values } from './check-input.js';
import { aucCovariance, differenceOf, structuralComponents } from './delong-components.js';
import { normalInterval, studentInterval, studentTwoSided } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export interface AucDifference {
  aucA: number;
  aucB: number;
  /** aucA - aucB */
  difference: number;
  lower: number;
  upper: number;
  standardError: number;
}

export interface UnpairedDelong extends AucDifference {
  /** difference / standardError */
  t: number;
  degreesOfFreedom: number;
  /** two-sided */
  p: number;
}

/**
 * DeLong's interval of the difference of two AUCs on the same cases: difference +- z se. The test of the same difference is
 * `delongTest`. Scores that rank every case alike have the interval [0, 0].
 *
 * @throws MetricsError as `delongTest`, `INVALID_OPTION` for the level
 * @see DeLong et al. 1988, Biometrics 44:837; pROC `ci_delong_paired`
 * @example
 * delongDifferenceCi([0, 0, 1, 1, 1], [0.1, 0.6, 0.5, 0.7, 0.9], [0.3, 0.4, 0.2, 0.5, 0.6]).difference // 0.167
 */
export function delongDifferenceCi(
  labels: Values,
  scoresA: Values,
  scoresB: Values,
  { level = 0.95 }: { level?: number } = {},
): AucDifference {
  checkLevel(level);
  const a = structuralComponents(labels, scoresA, 'scoresA');
  const b = structuralComponents(labels, scoresB, 'scoresB');
  const difference = differenceOf(a, b);
  const standardError = Math.sqrt(aucCovariance(difference, difference));
  refuseZero(difference.auc, standardError);
  const half = normalInterval(level) * standardError;
  return {
    aucA: a.auc,
    aucB: b.auc,
    difference: difference.auc,
    lower: Math.max(-1, difference.auc - half),
    upper: Math.min(1, difference.auc + half),
    standardError,
  };
}

/**
 * DeLong's test for two AUCs on different cases (two hospitals, two sexes): the variances add, and t has Welch's degrees of
 * freedom (vA + vB)^2 / (vA^2 / (nA - 1) + vB^2 / (nB - 1)). Two AUCs of 1 (or of 0) do not vary: t = 0, p = 1, with the
 * smaller sample's n - 1 as degrees of freedom.
 *
 * @throws MetricsError as `rocAuc`; `TOO_FEW` with fewer than two cases of a class in a sample; `NO_VARIANCE` when the AUCs
 *   differ although neither varies; `INVALID_OPTION` for the level
 * @see pROC `delong.unpaired.test` (Robin et al. 2011, BMC Bioinformatics 12:77)
 * @example
 * delongUnpairedTest([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.7], [0, 0, 1, 1], [0.3, 0.4, 0.2, 0.5]).t // 0.408
 */
export function delongUnpairedTest(
  labelsA: Values,
  scoresA: Values,
  labelsB: Values,
  scoresB: Values,
  { level = 0.95 }: { level?: number } = {},
): UnpairedDelong {
  checkLevel(level);
  const a = structuralComponents(labelsA, scoresA, 'scoresA');
  const b = structuralComponents(labelsB, scoresB, 'scoresB');
  const [varianceA, varianceB] = [aucCovariance(a, a), aucCovariance(b, b)];
  const standardError = Math.sqrt(varianceA + varianceB);
  const difference = a.auc - b.auc;
  refuseZero(difference, standardError);
  const degreesOfFreedom =
    standardError === 0
      ? Math.min(labelsA.length, labelsB.length) - 1
      : (varianceA + varianceB) ** 2 /
        (varianceA ** 2 / (labelsA.length - 1) + varianceB ** 2 / (labelsB.length - 1));
  const t = standardError === 0 ? 0 : difference / standardError;
  const half = studentInterval(level, degreesOfFreedom) * standardError;
  return {
    aucA: a.auc,
    aucB: b.auc,
    difference,
    lower: Math.max(-1, difference - half),
    upper: Math.min(1, difference + half),
    standardError,
    t,
    degreesOfFreedom,
    p: studentTwoSided(t, degreesOfFreedom),
  };
}

function refuseZero(difference: number, standardError: number): void {
  if (standardError === 0 && difference !== 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message: `The AUCs differ by ${difference} but have no sampling variance, so the test is infinite. Report the two AUCs alone.`,
    });
  }
}
