import { type Calibrator, restoreCalibrator } from './calibrator.js';
import { checkLabelled, type Values } from './check-input.js';
import { checkVaries, fitLogistic } from './logistic-fit.js';

export type PlattCalibrator = Calibrator & { method: 'platt'; a: number; b: number };

/**
 * Platt scaling: p = 1 / (1 + exp(a score + b)), with Platt's soft targets (n+ + 1)/(n+ + 2) and 1/(n- + 2), which keep the
 * fit finite even for separable classes. Fit on validation cases only.
 *
 * @param scores any real scores; logits, not probabilities, are the natural choice
 * @throws MetricsError as `rocAuc`, and `NO_VARIANCE` for constant scores
 * @see Platt 1999; Lin, Lin and Weng 2007; scikit-learn `_sigmoid_calibration`
 * @example
 * fitPlatt([0, 1, 0, 1], [-1, 0.5, 0.2, 2]).transform([0]) // [0.417]
 */
export function fitPlatt(labels: Values, scores: Values): PlattCalibrator {
  const { positives, negatives } = checkLabelled(labels, scores);
  checkVaries(scores, 'scores');
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)];
  const { slope, intercept } = fitLogistic(
    scores,
    Array.from(labels, (label) => (label === 1 ? high : low)),
  );
  return restoreCalibrator({ method: 'platt', a: -slope, b: -intercept });
}
