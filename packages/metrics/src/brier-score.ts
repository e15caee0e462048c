import { checkProbabilities, type Values } from './check-input.js';

/**
 * Brier score: the mean of (p - y)^2. 0 is perfect; always saying the prevalence q gives q (1 - q).
 *
 * @throws MetricsError as `rocAuc`, and `OUT_OF_RANGE` for a value outside [0, 1]
 * @see Brier 1950; scikit-learn `brier_score_loss`
 * @example
 * brierScore([0, 1], [0.2, 0.6]) // 0.1
 */
export function brierScore(labels: Values, probabilities: Values): number {
  checkProbabilities(labels, probabilities);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (probabilities[i]! - labels[i]!) ** 2;
  return sum / labels.length;
}
