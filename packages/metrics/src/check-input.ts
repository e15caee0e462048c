import { MetricsError } from './metrics-error.js';

/** Any array of numbers: `number[]`, `Float32Array`, `Uint8Array`. */
export type Values = ArrayLike<number>;

/** Raises `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INVALID_LABEL` or `ONE_CLASS`; returns how many of each class there are. */
export function checkLabelled(
  labels: Values,
  scores: Values,
  scoresName = 'scores',
): { positives: number; negatives: number } {
  checkSameLength(labels, scores, 'labels', scoresName);
  checkFinite(scores, scoresName);
  const positives = checkBinary(labels, 'labels');
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new MetricsError({
      code: 'ONE_CLASS',
      message: `All ${labels.length} labels are ${positives ? 1 : 0}: this metric compares classes, so give it cases of both.`,
    });
  }
  return { positives, negatives };
}

/** As `checkLabelled`, and each probability is within [0, 1] (`OUT_OF_RANGE`). */
export function checkProbabilities(
  labels: Values,
  probabilities: Values,
): { positives: number; negatives: number } {
  const counts = checkLabelled(labels, probabilities, 'probabilities');
  for (let i = 0; i < probabilities.length; i++) {
    const value = probabilities[i]!;
    if (value < 0 || value > 1) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `probabilities[${i}] is ${value}, outside [0, 1]. Logits and other scores have to be calibrated first (fitPlatt).`,
      });
    }
  }
  return counts;
}

export function checkSameLength(a: Values, b: Values, nameA: string, nameB: string): void {
  for (const [values, name] of [
    [a, nameA],
    [b, nameB],
  ] as const) {
    if (typeof values?.length !== 'number') {
      throw new MetricsError({ code: 'LENGTH_MISMATCH', message: `${name} is not an array of numbers.` });
    }
  }
  if (a.length !== b.length) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `${nameA} has ${a.length} values and ${nameB} has ${b.length}: both need one value a case, in the same order.`,
    });
  }
  if (a.length === 0) throw new MetricsError({ code: 'EMPTY', message: `${nameA} and ${nameB} are empty.` });
}

export function checkFinite(values: Values, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new MetricsError({
        code: 'NOT_FINITE',
        message: `${name}[${i}] is ${String(values[i])}, not a finite number. Remove or impute the case before measuring.`,
      });
    }
  }
}

/** Raises `INVALID_LABEL` unless every value is 0 or 1; returns how many are 1. */
export function checkBinary(values: Values, name: string): number {
  let ones = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== 0 && value !== 1) {
      throw new MetricsError({
        code: 'INVALID_LABEL',
        message: `${name}[${i}] is ${String(value)}: it has to be 0 or 1 (the number), 1 being the positive class.`,
      });
    }
    ones += value;
  }
  return ones;
}

export function checkThreshold(threshold: number): void {
  // Infinity is a legitimate threshold (nobody is positive) and the first one of rocCurve.
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `threshold is ${String(threshold)}: give a number.`,
    });
  }
}

export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `level is ${level}: give a confidence such as 0.95.`,
    });
  }
}

export function checkCount(value: number, name: string, minimum = 1): void {
  if (!Number.isInteger(value) || value < minimum) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `${name} is ${value}: give a whole number of at least ${minimum}.`,
    });
  }
}
