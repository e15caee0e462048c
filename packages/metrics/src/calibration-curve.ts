import { type BinStrategy, type CalibrationBin, calibrationBins } from './calibration-bins.js';
import { checkProbabilities, type Values } from './check-input.js';

/**
 * The reliability curve: cases binned by probability, with the mean probability and the observed share of each bin. Empty
 * bins are left out. `uniform` bins have equal width, `quantile` bins hold about equally many cases.
 *
 * @throws MetricsError as `brierScore`, and `INVALID_OPTION`
 * @see scikit-learn `calibration_curve` (which returns the two means only)
 * @example
 * calibrationCurve([0, 1, 1], [0.1, 0.8, 0.9], { bins: 2 })[1].observed // 1
 */
export function calibrationCurve(
  labels: Values,
  probabilities: Values,
  { bins = 10, strategy = 'uniform' }: { bins?: number; strategy?: BinStrategy } = {},
): CalibrationBin[] {
  checkProbabilities(labels, probabilities);
  return calibrationBins(labels, probabilities, bins, strategy);
}
