import type { Values } from './check-input.js';
import { confusion } from './confusion.js';

/**
 * Sensitivity (recall, true positive rate): TP / (TP + FN).
 *
 * @throws MetricsError as `confusion`
 * @example
 * sensitivity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.4) // 0.5
 */
export function sensitivity(labels: Values, scores: Values, threshold: number): number {
  const { tp, fn } = confusion(labels, scores, threshold);
  return tp / (tp + fn);
}

/**
 * Specificity (true negative rate): TN / (TN + FP).
 *
 * @throws MetricsError as `confusion`
 * @example
 * specificity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5) // 1
 */
export function specificity(labels: Values, scores: Values, threshold: number): number {
  const { tn, fp } = confusion(labels, scores, threshold);
  return tn / (tn + fp);
}

/**
 * Balanced accuracy: the mean of sensitivity and specificity.
 *
 * @throws MetricsError as `confusion`
 * @example
 * balancedAccuracy([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5) // 0.75
 */
export function balancedAccuracy(labels: Values, scores: Values, threshold: number): number {
  const { tp, fp, tn, fn } = confusion(labels, scores, threshold);
  return (tp / (tp + fn) + tn / (tn + fp)) / 2;
}

/**
 * F1 of the positive class: 2 TP / (2 TP + FP + FN). With both classes present the denominator is never 0; when no case is
 * called positive, F1 is 0. It depends on which class is positive and on the prevalence: state both beside it.
 *
 * @throws MetricsError as `confusion`
 * @example
 * f1Score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.35) // 0.8
 */
export function f1Score(labels: Values, scores: Values, threshold: number): number {
  const { tp, fp, fn } = confusion(labels, scores, threshold);
  return (2 * tp) / (2 * tp + fp + fn);
}
