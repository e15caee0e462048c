import {
  type AucInterval,
  type BootstrapInterval,
  balancedAccuracy,
  bootstrapCi,
  brierScore,
  type CalibrationBin,
  type CalibrationSlopeIntercept,
  type Confusion,
  calibrationCurve,
  calibrationSlopeIntercept,
  confusion,
  delongCi,
  expectedCalibrationError,
  f1Score,
  type ProportionInterval,
  prAuc,
  rocAuc,
  type Statistic,
  wilsonCi,
} from '@onco-response/metrics';
import { ReportError } from './report-error.js';
import { whereDefined } from './where-defined.js';

export interface EvaluationOptions {
  /**
   * score >= threshold counts as positive; chosen on validation cases. One for each case where it differs between them: in
   * k-fold cross-validation one fold's validation cases are another's test cases, so a single one would have seen some.
   */
  threshold: number | readonly number[];
  bootstrap: { resamples: number; seed: number; level: number };
  /** the patient of each case: the bootstrap then draws patients */
  clusters?: ArrayLike<string | number>;
}

/** A proportion with the counts that it comes from. */
export interface CountedProportion extends ProportionInterval {
  successes: number;
  total: number;
}

/** Every number that the report prints of a model. Plain JSON; null where `notDefined` says why. */
export interface ModelEvaluation {
  cases: number;
  positives: number;
  /** distinct clusters, or null when none were given */
  patients: number | null;
  prevalence: number;
  bootstrap: { resamples: number; seed: number; level: number; stratified: true; clustered: boolean };
  rocAuc: BootstrapInterval;
  delong: AucInterval | null;
  prAuc: BootstrapInterval;
  /** the mean where each case has its own */
  threshold: number;
  confusion: Confusion;
  /** Wilson intervals */
  sensitivity: CountedProportion;
  specificity: CountedProportion;
  positivePredictiveValue: CountedProportion | null;
  negativePredictiveValue: CountedProportion | null;
  accuracy: CountedProportion;
  f1Score: BootstrapInterval;
  balancedAccuracy: BootstrapInterval;
  brierScore: number | null;
  /** of the positive class, ten bins of equal width */
  expectedCalibrationError: number | null;
  calibration: CalibrationSlopeIntercept | null;
  /** ten bins of equal width, with Wilson limits of the observed share */
  calibrationBins: (CalibrationBin & { observedLower: number; observedUpper: number })[] | null;
  notDefined: Record<string, string>;
}

/** Probabilities of exactly 0 or 1 have infinite logits; this is how far the calibration slope moves them in. */
const CALIBRATION_CLIP = 1e-6;

/**
 * Measures one model on its test cases: discrimination with bootstrap and DeLong intervals, the confusion matrix at the
 * threshold with Wilson intervals, calibration. The result is what `metrics.json` stores and the report prints.
 *
 * What the data do not define (calibration of scores that are no probabilities, a slope on separable classes, a predictive
 * value of no cases) is null, with the reason in `notDefined`.
 *
 * @param labels 0 or 1, one a case
 * @throws MetricsError as `bootstrapCi`: empty, one class, not finite, unequal lengths
 * @example
 * evaluateModel(labels, probabilities, { threshold: 0.5, bootstrap: { resamples: 2000, seed: 1, level: 0.95 } }).rocAuc.estimate
 */
export function evaluateModel(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { threshold, bootstrap, clusters }: EvaluationOptions,
): ModelEvaluation {
  const { resamples, seed, level } = bootstrap;
  const interval = (statistic: Statistic, values: ArrayLike<number> = scores) =>
    bootstrapCi(statistic, labels, values, {
      resamples,
      seed,
      level,
      stratified: true,
      ...(clusters === undefined ? {} : { clusters }),
    });
  const notDefined: Record<string, string> = {};
  const orNull = whereDefined(notDefined);
  const proportion = (successes: number, total: number): CountedProportion => ({
    ...wilsonCi(successes, total, { level }),
    successes,
    total,
  });

  const auc = interval(rocAuc);
  const [decisive, cut] = typeof threshold === 'number' ? [scores, threshold] : [calls(scores, threshold), 1];
  const counts = confusion(labels, decisive, cut);
  const { tp, fp, tn, fn } = counts;
  const cases = labels.length;
  return {
    cases,
    positives: tp + fn,
    patients: clusters === undefined ? null : new Set(Array.from(clusters)).size,
    prevalence: (tp + fn) / cases,
    bootstrap: { resamples, seed, level, stratified: true, clustered: clusters !== undefined },
    rocAuc: auc,
    delong: orNull('delong', () => delongCi(labels, scores, { level })),
    prAuc: interval(prAuc),
    threshold: typeof threshold === 'number' ? threshold : mean(threshold),
    confusion: counts,
    sensitivity: proportion(tp, tp + fn),
    specificity: proportion(tn, tn + fp),
    positivePredictiveValue: orNull('positivePredictiveValue', () => proportion(tp, tp + fp)),
    negativePredictiveValue: orNull('negativePredictiveValue', () => proportion(tn, tn + fn)),
    accuracy: proportion(tp + tn, cases),
    f1Score: interval((l, s) => f1Score(l, s, cut), decisive),
    balancedAccuracy: interval((l, s) => balancedAccuracy(l, s, cut), decisive),
    brierScore: orNull('brierScore', () => brierScore(labels, scores)),
    expectedCalibrationError: orNull('expectedCalibrationError', () =>
      expectedCalibrationError(labels, scores, { bins: 10 }),
    ),
    calibration: orNull('calibration', () =>
      calibrationSlopeIntercept(labels, scores, { clip: CALIBRATION_CLIP }),
    ),
    calibrationBins: orNull('calibrationBins', () =>
      calibrationCurve(labels, scores, { bins: 10 }).map((bin) => {
        const { lower, upper } = wilsonCi(bin.positives, bin.count, { level });
        return { ...bin, observedLower: lower, observedUpper: upper };
      }),
    ),
    notDefined,
  };
}

/** 1 where a case's score reaches the threshold, or its own where there is one for each case; else 0. */
export function calls(scores: ArrayLike<number>, threshold: number | readonly number[]): number[] {
  if (typeof threshold === 'number') return Array.from(scores, (score) => Number(score >= threshold));
  if (threshold.length !== scores.length || !threshold.every(Number.isFinite)) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `${threshold.length} thresholds were given for ${scores.length} cases: one finite number a case is needed`,
    });
  }
  return threshold.map((own, at) => Number(scores[at]! >= own));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
