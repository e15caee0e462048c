import {
  type AucDifference,
  delongDifferenceCi,
  holm,
  type McnemarTest,
  MetricsError,
  mcnemarTest,
} from '@onco-response/metrics';
import { compareModels, type ModelComparison } from './compare-models.js';
import { calls, type EvaluationOptions } from './evaluate-model.js';

/** The scores of one baseline on the cases of the main model. */
export interface BaselineScores {
  name: string;
  scores: ArrayLike<number>;
  /** its own threshold; the main model's unless given */
  threshold?: number | readonly number[];
}

/** The main model minus one baseline, on the same cases. Plain JSON. */
export interface BaselineComparison extends ModelComparison {
  name: string;
  /** DeLong's interval of the difference; null where `notDefined` says why */
  delongDifference: AucDifference | null;
  /** DeLong's p, adjusted by Holm over all baselines whose test is defined */
  adjustedP: number | null;
  /** of "was the call right": A is the main model */
  mcnemar: McnemarTest;
}

/**
 * Compares a model with each of its baselines on the same cases: difference in AUC with a paired bootstrap interval and DeLong's
 * test, p adjusted by Holm over the baselines, and McNemar's test of the calls at the thresholds.
 *
 * @throws MetricsError as `bootstrapDifferenceCi`
 * @example
 * compareBaselines(labels, model, [{ name: 'volume only', scores: volume }], { threshold: 0.4, bootstrap })[0]?.adjustedP
 */
export function compareBaselines(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  baselines: readonly BaselineScores[],
  { threshold, ...options }: EvaluationOptions,
): BaselineComparison[] {
  const right = (values: ArrayLike<number>, cut: number | readonly number[]) =>
    calls(values, cut).map((call, i) => Number(call === labels[i]));
  const ownRight = right(scores, threshold);
  const compared = baselines.map((baseline): BaselineComparison => {
    const comparison = compareModels(labels, scores, baseline.scores, options);
    return {
      name: baseline.name,
      ...comparison,
      delongDifference: orNull(() =>
        delongDifferenceCi(labels, scores, baseline.scores, { level: options.bootstrap.level }),
      ),
      adjustedP: null,
      mcnemar: mcnemarTest(ownRight, right(baseline.scores, baseline.threshold ?? threshold)),
    };
  });
  const tested = compared.filter(({ delong }) => delong !== null);
  if (tested.length > 0) {
    const adjusted = holm(tested.map(({ delong }) => delong!.p));
    tested.forEach((comparison, i) => {
      comparison.adjustedP = adjusted[i]!;
    });
  }
  return compared;
}

function orNull<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (!MetricsError.isInstance(error)) throw error;
    return null;
  }
}
