import { checkFinite, type Values } from './check-input.js';
import { cholesky, solvedNorm } from './cholesky.js';
import { chiSquareUpperTail } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export interface MahalanobisOptions {
  /**
   * Weight of a multiple of the identity in the covariance, (1 - s) C + s (trace C / d) I; C divides by n. `ledoitWolf`, unless
   * given, estimates the weight with the least expected error; 0 is the plain covariance, which needs more rows than columns.
   */
  shrinkage?: 'ledoitWolf' | number;
  /** rows that `empiricalP` compares with, such as validation cases; unless given the training rows, each left out in turn */
  reference?: ArrayLike<Values>;
}

export interface Mahalanobis {
  /** training rows and columns */
  cases: number;
  dimensions: number;
  /** the weight that was used */
  shrinkage: number;
  /** squared distances of the reference rows, rising */
  reference: Float64Array;
  squaredDistances(rows: ArrayLike<Values>): Float64Array;
  /** P(chi-square with `dimensions` degrees of freedom > squared distance): exact for normal rows of a known covariance only */
  chiSquareP(rows: ArrayLike<Values>): Float64Array;
  /** (1 + reference rows at least as far) / (1 + reference rows): holds without a distribution, never below 1 / (1 + n) */
  empiricalP(rows: ArrayLike<Values>): Float64Array;
}

/**
 * How far cases lie from the training cases: (x - mean)' S^-1 (x - mean) with a shrunken covariance S, the out-of-distribution
 * score of an embedding. A training row's distance to its own fit is too small, most of all with as many columns as rows; the
 * reference therefore leaves each out, by the rank-one update, with weight and trace kept.
 *
 * @param rows [cases][dimensions], of training cases
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`; `TOO_FEW` below three rows; `INVALID_OPTION`; `NO_VARIANCE` for
 *   rows that are all equal, and where the covariance has no inverse
 * @see Mahalanobis 1936; Ledoit and Wolf 2004; Lee et al. 2018 (as out-of-distribution score); scikit-learn `LedoitWolf`
 * @example
 * mahalanobis(trainingEmbeddings).empiricalP(testEmbeddings) // small where a test case resembles no training case
 */
export function mahalanobis(
  rows: ArrayLike<Values>,
  { shrinkage = 'ledoitWolf', reference }: MahalanobisOptions = {},
): Mahalanobis {
  const dimensions = checkRows(rows, 'rows');
  const cases = rows.length;
  if (cases < 3) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `A covariance needs three rows; there are ${cases}.`,
    });
  }
  if (typeof shrinkage === 'number' ? !(shrinkage >= 0 && shrinkage <= 1) : shrinkage !== 'ledoitWolf') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `shrinkage is ${String(shrinkage)}: give 'ledoitWolf' or a weight from 0 to 1.`,
    });
  }
  const mean = Float64Array.from(
    { length: dimensions },
    (_, j) => Array.from(rows, (row) => row[j]!).reduce((sum, value) => sum + value, 0) / cases,
  );
  const centre = (row: Values) => mean.map((value, j) => row[j]! - value);
  const centred = Array.from(rows, centre);
  const covariance = covarianceOf(centred);
  let trace = 0;
  for (let j = 0; j < dimensions; j++) trace += covariance[j * dimensions + j]!;
  if (trace === 0) {
    throw new MetricsError({ code: 'NO_VARIANCE', message: `All ${cases} rows are equal: no distance.` });
  }
  const weight = shrinkage === 'ledoitWolf' ? ledoitWolf(centred, covariance, trace) : shrinkage;
  /** Cholesky factor of `scale` (1 - s) C + s (trace C / d) I. */
  const factor = (scale: number) => {
    const shrunken = covariance.map((value) => scale * (1 - weight) * value);
    for (let j = 0; j < dimensions; j++) shrunken[j * dimensions + j]! += (weight * trace) / dimensions;
    return cholesky(shrunken, dimensions);
  };
  const whole = factor(1);
  const squaredDistances = (others: ArrayLike<Values>) => {
    if (checkRows(others, 'rows') !== dimensions) {
      throw new MetricsError({
        code: 'LENGTH_MISMATCH',
        message: `The rows have ${others[0]!.length} values, the training rows ${dimensions}.`,
      });
    }
    return Float64Array.from(others, (row) => solvedNorm(whole, centre(row)));
  };
  const known = reference
    ? squaredDistances(reference)
    : leftOut(centred, factor(cases / (cases - 1)), weight);
  known.sort();
  return {
    cases,
    dimensions,
    shrinkage: weight,
    reference: known,
    squaredDistances,
    chiSquareP: (others) => squaredDistances(others).map((square) => chiSquareUpperTail(square, dimensions)),
    empiricalP: (others) =>
      squaredDistances(others).map(
        (square) => (1 + known.length - firstAtLeast(known, square)) / (1 + known.length),
      ),
  };
}

/**
 * Without row z (centred): covariance (n C - n / (n - 1) z z') / (n - 1), z then n / (n - 1) z. With A the shrunken n / (n - 1) C
 * and a = z' A^-1 z, Sherman and Morrison's formula gives a / (1 - c a), c = (1 - s) n / (n - 1)^2, times (n / (n - 1))^2.
 */
function leftOut(centred: readonly Float64Array[], factor: Float64Array, weight: number): Float64Array {
  const n = centred.length;
  const c = ((1 - weight) * n) / (n - 1) ** 2;
  return Float64Array.from(centred, (row) => {
    const a = solvedNorm(factor, row);
    // With as many columns as rows and no shrinkage, a row left out lies infinitely far.
    return c * a < 1 ? ((n / (n - 1)) ** 2 * a) / (1 - c * a) : Number.MAX_VALUE;
  });
}

/** Ledoit and Wolf's weight, as scikit-learn computes it. */
function ledoitWolf(centred: readonly Float64Array[], covariance: Float64Array, trace: number): number {
  const [n, d] = [centred.length, Math.sqrt(covariance.length)];
  const squares = covariance.reduce((sum, value) => sum + value * value, 0);
  const fourth = centred.reduce((sum, row) => sum + row.reduce((norm, x) => norm + x * x, 0) ** 2, 0);
  const beta = (fourth / n - squares) / (d * n);
  const delta = (squares - trace ** 2 / d) / d;
  return delta > 0 ? Math.max(0, Math.min(beta, delta)) / delta : 0;
}

/** [d, d], divided by n. */
function covarianceOf(centred: readonly Float64Array[]): Float64Array {
  const d = centred[0]!.length;
  const covariance = new Float64Array(d * d);
  for (const row of centred) {
    for (let i = 0; i < d; i++) {
      const scaled = row[i]! / centred.length;
      for (let j = 0; j <= i; j++) covariance[i * d + j]! += scaled * row[j]!;
    }
  }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) covariance[j * d + i] = covariance[i * d + j]!;
  return covariance;
}

function firstAtLeast(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkRows(rows: ArrayLike<Values>, name: string): number {
  if (rows.length === 0) throw new MetricsError({ code: 'EMPTY', message: `${name} is empty.` });
  const width = rows[0]!.length;
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]!.length !== width || width === 0) {
      throw new MetricsError({
        code: 'LENGTH_MISMATCH',
        message: `${name}[${i}] has ${rows[i]!.length} values and ${name}[0] has ${width}: give each case as many, at least one.`,
      });
    }
    checkFinite(rows[i]!, `${name}[${i}]`);
  }
  return width;
}
