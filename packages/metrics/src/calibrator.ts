import { checkFinite, type Values } from './check-input.js';
import { sigmoid } from './logistic-fit.js';
import { MetricsError } from './metrics-error.js';

/** What a fitted calibrator is, as JSON: `JSON.stringify(fitPlatt(...))` keeps exactly this. */
export type CalibratorParameters =
  | { method: 'platt'; a: number; b: number }
  | { method: 'temperature'; temperature: number }
  | { method: 'isotonic'; x: number[]; y: number[] }
  | { method: 'beta'; a: number; b: number; c: number };

export interface Calibrator {
  /** scores of the kind it was fitted on to probabilities, one each */
  transform(scores: Values): number[];
}

/**
 * The calibrator of saved parameters.
 *
 * @throws MetricsError `INVALID_OPTION` for parameters that are not of a calibrator; its `transform` raises `NOT_FINITE`,
 *   and for beta calibration `OUT_OF_RANGE` for a score outside [0, 1]
 * @example
 * restoreCalibrator(JSON.parse(JSON.stringify(fitPlatt(labels, logits)))).transform([0.3])
 */
export function restoreCalibrator<P extends CalibratorParameters>(parameters: P): P & Calibrator {
  const convert = converter(parameters);
  return {
    ...parameters,
    transform: (scores: Values) => {
      checkFinite(scores, 'scores');
      return Array.from(scores, convert);
    },
  };
}

function converter(parameters: CalibratorParameters): (score: number) => number {
  const refuse = () =>
    new MetricsError({
      code: 'INVALID_OPTION',
      message: `These are not a calibrator's parameters: ${JSON.stringify(parameters)}.`,
    });
  switch (parameters?.method) {
    case 'platt': {
      const { a, b } = parameters;
      if (!Number.isFinite(a) || !Number.isFinite(b)) throw refuse();
      return (score) => sigmoid(-(a * score + b));
    }
    case 'temperature': {
      const { temperature } = parameters;
      if (!(temperature > 0) || !Number.isFinite(temperature)) throw refuse();
      return (score) => sigmoid(score / temperature);
    }
    case 'isotonic': {
      const { x, y } = parameters;
      if (!Array.isArray(x) || !Array.isArray(y) || x.length === 0 || x.length !== y.length) throw refuse();
      return (score) => interpolate(x, y, score);
    }
    case 'beta': {
      const { a, b, c } = parameters;
      if (!(a >= 0 && b >= 0) || ![a, b, c].every(Number.isFinite)) throw refuse();
      return (score) => betaCalibrated(score, a, b, c);
    }
    default:
      throw refuse();
  }
}

/** 0 and 1 have their limits; where a (or b) is 0 the infinite logarithm is no part of the sum. */
function betaCalibrated(p: number, a: number, b: number, c: number): number {
  if (p < 0 || p > 1) {
    throw new MetricsError({
      code: 'OUT_OF_RANGE',
      message: `A score is ${p}: beta calibration takes probabilities, in [0, 1].`,
    });
  }
  return sigmoid((a === 0 ? 0 : a * Math.log(p)) - (b === 0 ? 0 : b * Math.log1p(-p)) + c);
}

/** Linear between knots, constant beyond them (scikit-learn's `out_of_bounds='clip'`). */
function interpolate(x: number[], y: number[], at: number): number {
  if (at <= x[0]!) return y[0]!;
  if (at >= x[x.length - 1]!) return y[y.length - 1]!;
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  return y[low]! + ((y[high]! - y[low]!) * (at - x[low]!)) / (x[high]! - x[low]!);
}
