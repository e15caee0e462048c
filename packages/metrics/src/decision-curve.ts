import { checkProbabilities, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';

export interface DecisionPoint {
  threshold: number;
  /** of treating the cases with probability >= threshold, in true positives a case */
  netBenefit: number;
  /** of treating everybody */
  treatAll: number;
  /** of treating nobody: 0 */
  treatNone: number;
  /** unnecessary treatments avoided a case, against treating everybody, at no loss of true positives */
  interventionsAvoided: number;
}

/**
 * Decision curve analysis: net benefit = TP/n - FP/n * t/(1 - t) at each threshold probability t.
 *
 * @param thresholds within (0, 1); choose a range that a clinician would act on
 * @throws MetricsError as `brierScore`, `EMPTY` and `OUT_OF_RANGE` for the thresholds
 * @see Vickers and Elkin 2006; dcurves `dca`
 * @example
 * decisionCurve([0, 1, 1], [0.1, 0.8, 0.4], [0.3])[0].netBenefit // 0.667
 */
export function decisionCurve(labels: Values, probabilities: Values, thresholds: Values): DecisionPoint[] {
  const { positives, negatives } = checkProbabilities(labels, probabilities);
  if (!(thresholds?.length > 0)) throw new MetricsError({ code: 'EMPTY', message: 'thresholds is empty.' });
  const cases = labels.length;
  return Array.from(thresholds, (threshold, i) => {
    if (!(threshold > 0 && threshold < 1)) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `thresholds[${i}] is ${threshold}: a threshold probability is between 0 and 1, both excluded.`,
      });
    }
    const odds = threshold / (1 - threshold);
    let benefit = 0;
    for (let c = 0; c < cases; c++) {
      if (probabilities[c]! >= threshold) benefit += labels[c] === 1 ? 1 : -odds;
    }
    const netBenefit = benefit / cases;
    const treatAll = (positives - negatives * odds) / cases;
    return {
      threshold,
      netBenefit,
      treatAll,
      treatNone: 0,
      interventionsAvoided: (netBenefit - treatAll) / odds,
    };
  });
}
