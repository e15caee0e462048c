import { checkProbabilities, type Values } from './check-input.js';
import { checkOverlap, checkVaries, fitLogistic, sigmoid } from './logistic-fit.js';
import { MetricsError } from './metrics-error.js';

export interface CalibrationSlopeIntercept {
  /** 1 is ideal; below 1 the probabilities are too extreme (overfitting) */
  slope: number;
  /** of the same fit as the slope; 0 is ideal */
  intercept: number;
  /** the intercept when the slope is held at 1; 0 is ideal, above 0 the risk is underestimated on the whole */
  calibrationInTheLarge: number;
}

/**
 * Cox's recalibration: the logistic regression of the labels on logit(p).
 *
 * @param options.clip probabilities are moved into [clip, 1 - clip], since 0 and 1 have infinite logits; 0 (no clipping,
 *   and such a probability is `OUT_OF_RANGE`) unless given
 * @throws MetricsError as `brierScore`; `NO_VARIANCE` when all probabilities are equal; `NO_OPTIMUM` when they separate the
 *   classes
 * @see Cox 1958; Van Calster et al. 2016, J Clin Epidemiol 74:167 (weak calibration)
 * @example
 * calibrationSlopeIntercept([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.8]).slope // 1.10
 */
export function calibrationSlopeIntercept(
  labels: Values,
  probabilities: Values,
  { clip = 0 }: { clip?: number } = {},
): CalibrationSlopeIntercept {
  const { positives } = checkProbabilities(labels, probabilities);
  if (!(clip >= 0 && clip < 0.5)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `clip is ${clip}: give 0 <= clip < 0.5, such as 1e-6.`,
    });
  }
  const logits = Float64Array.from(probabilities, (value, i) => {
    const p = Math.min(Math.max(value, clip), 1 - clip);
    if (p === 0 || p === 1) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `probabilities[${i}] is ${p}, whose logit is infinite. Give the option clip, such as 1e-6, and report it.`,
      });
    }
    return Math.log(p) - Math.log1p(-p);
  });
  checkVaries(logits, 'probabilities');
  checkOverlap(labels, logits, 'probabilities');
  return { ...fitLogistic(logits, labels), calibrationInTheLarge: interceptAtSlopeOne(logits, positives) };
}

/** The shift c with sum sigmoid(logit + c) = number of positives: a rising function of c, solved by guarded Newton steps. */
function interceptAtSlopeOne(logits: Float64Array, positives: number): number {
  let [low, high] = [-800, 800];
  let shift = 0;
  for (let iteration = 0; iteration < 200; iteration++) {
    let excess = -positives;
    let slope = 0;
    for (const logit of logits) {
      const p = sigmoid(logit + shift);
      excess += p;
      slope += p * (1 - p);
    }
    if (excess > 0) high = shift;
    else low = shift;
    let next = shift - excess / slope;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - shift) < 1e-15 * Math.max(1, Math.abs(shift))) return next;
    shift = next;
  }
  return shift;
}
