import { type BinStrategy, calibrationBins } from './calibration-bins.js';
import { checkProbabilities, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';

/**
 * Expected calibration error: the mean over bins, weighted by their cases, of |observed - predicted|. Bins are (lo, hi] of
 * equal width; `strategy: 'quantile'` makes them of equal mass instead (edges at the quantiles, tied values together, so a bin
 * may be empty and is then left out), which does not hinge on a few sparse bins.
 *
 * `of: 'positive'` (default) compares the probability of the positive class with the share of positives.
 * `of: 'confidence'` is the definition of the deep-learning literature: max(p, 1 - p) against the share that is right.
 * The two differ; say which is reported.
 *
 * @throws MetricsError as `brierScore`, and `INVALID_OPTION`
 * @see Naeini et al. 2015; Nixon et al. 2019 (equal mass); Guo et al. 2017, whose code (gpleiss/temperature_scaling) is `of: 'confidence', bins: 15`
 * @example
 * expectedCalibrationError([0, 1], [0.2, 0.6], { bins: 10 }) // 0.3
 */
export function expectedCalibrationError(
  labels: Values,
  probabilities: Values,
  {
    bins = 10,
    of = 'positive',
    strategy = 'uniform',
  }: { bins?: number; of?: 'positive' | 'confidence'; strategy?: BinStrategy } = {},
): number {
  checkProbabilities(labels, probabilities);
  if (of !== 'positive' && of !== 'confidence') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `of is ${String(of)}: give 'positive' or 'confidence'.`,
    });
  }
  const table =
    of === 'positive'
      ? calibrationBins(labels, probabilities, bins, strategy)
      : calibrationBins(
          Array.from(labels, (label, i) => (probabilities[i]! >= 0.5 ? label : 1 - label)),
          Array.from(probabilities, (p) => Math.max(p, 1 - p)),
          bins,
          strategy,
        );
  return (
    table.reduce((sum, bin) => sum + bin.count * Math.abs(bin.observed - bin.predicted), 0) / labels.length
  );
}
