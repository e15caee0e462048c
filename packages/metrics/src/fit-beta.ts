import { type Calibrator, restoreCalibrator } from './calibrator.js';
import { checkProbabilities, type Values } from './check-input.js';
import { checkOverlap, checkVaries, fitLogistic, fitLogisticPlane, logisticLoss } from './logistic-fit.js';
import { MetricsError } from './metrics-error.js';

export type BetaCalibrator = Calibrator & { method: 'beta'; a: number; b: number; c: number };

/**
 * Beta calibration of probabilities: logit of the result = a ln(p) - b ln(1 - p) + c with a, b >= 0, by maximum likelihood.
 * The identity (a = b = 1, c = 0) is within the family, so a calibrated model is left alone, which Platt scaling of
 * probabilities cannot do. Where the free optimum has a negative a or b, the best of the fits with that one at 0 is taken.
 *
 * @param options.clip probabilities are moved into [clip, 1 - clip] for the fit; 0 (0 and 1 are `OUT_OF_RANGE`) unless given
 * @throws MetricsError as `brierScore`; `NO_VARIANCE` when all probabilities are equal; `NO_OPTIMUM` when they separate the
 *   classes or point the wrong way
 * @see Kull, Silva Filho and Flach 2017, AISTATS; betacal `BetaCalibration('abm')`
 * @example
 * fitBeta([0, 1, 0, 1, 0, 1], [0.1, 0.3, 0.4, 0.8, 0.6, 0.9]).transform([0.5]) // [0.396]
 */
export function fitBeta(
  labels: Values,
  probabilities: Values,
  { clip = 0 }: { clip?: number } = {},
): BetaCalibrator {
  checkProbabilities(labels, probabilities);
  if (!(clip >= 0 && clip < 0.5)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `clip is ${clip}: give 0 <= clip < 0.5, such as 1e-12.`,
    });
  }
  const clipped = Float64Array.from(probabilities, (p) => Math.min(Math.max(p, clip), 1 - clip));
  const edge = clipped.findIndex((p) => p === 0 || p === 1);
  if (edge >= 0) {
    throw new MetricsError({
      code: 'OUT_OF_RANGE',
      message: `probabilities[${edge}] is ${clipped[edge]}, whose logarithm is infinite. Give the option clip, such as 1e-12.`,
    });
  }
  checkVaries(clipped, 'probabilities');
  checkOverlap(labels, clipped, 'probabilities');
  const lower = clipped.map((p) => Math.log(p));
  const upper = clipped.map((p) => -Math.log1p(-p));
  const free = fitLogisticPlane(lower, upper, labels);
  if (free && free.first >= 0 && free.second >= 0) {
    return restoreCalibrator({ method: 'beta', a: free.first, b: free.second, c: free.intercept });
  }
  // Convex, and the free optimum is outside: the constrained one is on an edge, a = 0 or b = 0.
  const onlyA = fitLogistic(lower, labels);
  const onlyB = fitLogistic(upper, labels);
  const edges = [
    { a: onlyA.slope, b: 0, c: onlyA.intercept, loss: logisticLoss(lower, labels, onlyA) },
    { a: 0, b: onlyB.slope, c: onlyB.intercept, loss: logisticLoss(upper, labels, onlyB) },
  ]
    .filter(({ a, b }) => a >= 0 && b >= 0 && a + b > 0)
    .sort((x, y) => x.loss - y.loss);
  const best = edges[0];
  if (!best) {
    throw new MetricsError({
      code: 'NO_OPTIMUM',
      message:
        'The probabilities point away from the labels on the whole, so no rising calibration helps. Check which class is positive.',
    });
  }
  return restoreCalibrator({ method: 'beta', a: best.a, b: best.b, c: best.c });
}
