import { type Calibrator, restoreCalibrator } from './calibrator.js';
import { checkLabelled, type Values } from './check-input.js';
import { sigmoid } from './logistic-fit.js';
import { MetricsError } from './metrics-error.js';

export type TemperatureCalibrator = Calibrator & { method: 'temperature'; temperature: number };

/**
 * Temperature scaling of logits: p = sigmoid(logit / T) with the T of least negative log-likelihood. The problem is convex in
 * 1/T, so the exact optimum is found where the original takes LBFGS steps. Ranks and the class at 0.5 stay as they are.
 *
 * @param logits log-odds, not probabilities
 * @throws MetricsError as `rocAuc`; `NO_OPTIMUM` when every logit has the right sign (T would be 0) or when flat
 *   probabilities beat any positive T (the logits point the wrong way); `NO_VARIANCE` when all are 0
 * @see Guo et al. 2017
 * @example
 * fitTemperature([0, 1, 0, 1], [-2, 1.5, 1, 3]).temperature // 1.057
 */
export function fitTemperature(labels: Values, logits: Values): TemperatureCalibrator {
  checkLabelled(labels, logits, 'logits');
  const signed = Float64Array.from(logits, (logit, i) => (labels[i] === 1 ? logit : -logit));
  const largest = signed.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0)
    throw new MetricsError({ code: 'NO_VARIANCE', message: 'All logits are 0: there is nothing to scale.' });
  if (signed.every((value) => value >= 0)) {
    throw new MetricsError({
      code: 'NO_OPTIMUM',
      message:
        'Every logit has the sign of its label, so the best temperature is 0. Fit on more cases, or use fitPlatt.',
    });
  }
  if (signed.reduce((sum, value) => sum + value, 0) <= 0) {
    throw new MetricsError({
      code: 'NO_OPTIMUM',
      message:
        'The logits point away from the labels on the whole, so no positive temperature helps. Check which class is positive, or use fitPlatt.',
    });
  }
  return restoreCalibrator({ method: 'temperature', temperature: largest / bestInverse(signed, largest) });
}

/** The root of d NLL / d(1/T), with logits scaled to at most 1; the derivative rises, so Newton is kept in a bracket. */
function bestInverse(signed: Float64Array, largest: number): number {
  const derivatives = (inverse: number) => {
    let first = 0;
    let second = 0;
    for (const value of signed) {
      const margin = value / largest;
      const wrong = sigmoid(-inverse * margin);
      first -= margin * wrong;
      second += margin * margin * wrong * (1 - wrong);
    }
    return { first, second };
  };
  let low = 0;
  let high = 1;
  while (derivatives(high).first < 0) high *= 2;
  let inverse = high / 2;
  for (let iteration = 0; iteration < 200; iteration++) {
    const { first, second } = derivatives(inverse);
    if (first > 0) high = inverse;
    else low = inverse;
    let next = inverse - first / second;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - inverse) <= 1e-15 * inverse) return next;
    inverse = next;
  }
  return inverse;
}
