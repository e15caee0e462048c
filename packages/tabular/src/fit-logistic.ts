import { checkLabels, checkMatrix, type Matrix } from './check-input.js';
import { solvePositiveDefinite } from './cholesky.js';
import { TabularError } from './tabular-error.js';

export interface LogisticOptions {
  /** Inverse strength of the L2 penalty, as in scikit-learn; 1 unless given, Infinity for none. */
  c?: number;
  /** `balanced` weighs each class n / (2 n_class); every row 1 unless given. */
  classWeight?: 'balanced' | 'none';
}

/** A fitted model: plain JSON. */
export interface LogisticParameters {
  /** One a column. */
  coefficients: number[];
  intercept: number;
}

/** Penalised logistic regression; `JSON.stringify` keeps its parameters. */
export interface Logistic extends LogisticParameters {
  /** [rows][columns] -> the linear predictor, one a row */
  logits(rows: Matrix): number[];
  /** [rows][columns] -> probabilities of label 1 */
  probabilities(rows: Matrix): number[];
}

/**
 * Logistic regression with an L2 penalty: the minimum of c sum_i w_i ln(1 + exp(-y_i (x_i b + a))) + |b|^2 / 2, y in
 * {-1, 1}, the intercept a not penalised. Newton steps (iteratively reweighted least squares), halved until the objective
 * falls; each costs O(rows columns^2). The penalty is on the coefficients as given: standardise the columns first.
 *
 * @param rows [rows][columns]
 * @param labels 0 or 1, one a row
 * @throws TabularError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INVALID_LABEL`, `ONE_CLASS`, `INVALID_OPTION`; `NO_OPTIMUM`
 *   with `c: Infinity` for separable classes or collinear columns
 * @see scikit-learn `LogisticRegression(C, class_weight)`; Hastie, Tibshirani and Friedman 2009, section 4.4.1
 * @example
 * fitLogistic([[0], [1], [2], [3]], [0, 1, 0, 1]).probabilities([[1.5]]) // [0.5]
 */
export function fitLogistic(
  rows: Matrix,
  labels: ArrayLike<number>,
  { c = 1, classWeight = 'none' }: LogisticOptions = {},
): Logistic {
  const columns = checkMatrix(rows);
  const positives = checkLabels(labels, rows.length);
  if (!(c > 0) || (classWeight !== 'none' && classWeight !== 'balanced')) {
    throw new TabularError({
      code: 'INVALID_OPTION',
      message: `c is ${String(c)} and classWeight ${String(classWeight)}: give c above 0 (Infinity for no penalty) and 'none' or 'balanced'.`,
    });
  }
  const weightOf =
    classWeight === 'balanced'
      ? [rows.length / (2 * (rows.length - positives)), rows.length / (2 * positives)]
      : [1, 1];
  const weights = Float64Array.from(labels, (label) => weightOf[label]!);
  const penalty = 1 / c; // the objective is divided by c
  // theta [columns + 1]: the coefficients, then the intercept
  let theta: Float64Array = new Float64Array(columns + 1);
  let logits: Float64Array = new Float64Array(rows.length);
  let current = objective(logits, theta, labels, weights, penalty);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(rows, labels, logits, theta, weights, penalty);
    const step = solvePositiveDefinite(hessian, gradient);
    if (!step) throw noOptimum('the columns are collinear, or some direction separates the classes');
    let scale = 1;
    for (;;) {
      const next = theta.map((value, i) => value - scale * step[i]!);
      const nextLogits = linear(rows, next);
      const value = objective(nextLogits, next, labels, weights, penalty);
      // Near the optimum the objective differs by rounding only, and a full step is still the best one.
      if (value <= current + 1e-14 * Math.abs(current)) {
        theta = next;
        logits = nextLogits;
        current = value;
        break;
      }
      scale /= 2;
      if (scale < 1e-12) return restoreLogistic(parametersOf(theta));
    }
    const size = Math.hypot(...theta);
    if (c === Infinity && size > DIVERGED) throw noOptimum('some direction separates the classes');
    if (scale * Math.hypot(...step) <= 1e-12 * (1 + size)) return restoreLogistic(parametersOf(theta));
  }
  throw noOptimum(`${MAX_ITERATIONS} Newton steps did not settle`);
}

/** Newton's steps settle in about 10; without an optimum they never do. */
const MAX_ITERATIONS = 200;
/** Of standardised columns no finite optimum has coefficients of this size. */
const DIVERGED = 1e6;

const noOptimum = (why: string) =>
  new TabularError({
    code: 'NO_OPTIMUM',
    message: `The likelihood has no single finite maximum: ${why}. Give a penalty (c: 1), or leave columns out.`,
  });

const parametersOf = (theta: Float64Array): LogisticParameters => ({
  coefficients: Array.from(theta.subarray(0, -1)),
  intercept: theta.at(-1)!,
});

/** The model of saved parameters. */
export function restoreLogistic({ coefficients, intercept }: LogisticParameters): Logistic {
  const theta = Float64Array.from([...coefficients, intercept]);
  const logits = (rows: Matrix) => {
    if (rows.length > 0) checkMatrix(rows, coefficients.length);
    return Array.from(linear(rows, theta));
  };
  return {
    coefficients,
    intercept,
    logits,
    probabilities: (rows) => logits(rows).map(sigmoid),
  };
}

/** 1 / (1 + exp(-x)) without overflow. */
function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

function linear(rows: Matrix, theta: Float64Array): Float64Array {
  const columns = theta.length - 1;
  return Float64Array.from(rows, (row) => {
    let sum = theta[columns]!;
    for (let k = 0; k < columns; k++) sum += theta[k]! * row[k]!;
    return sum;
  });
}

function objective(
  logits: Float64Array,
  theta: Float64Array,
  labels: ArrayLike<number>,
  weights: Float64Array,
  penalty: number,
): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const wrong = labels[i] === 1 ? -logits[i]! : logits[i]!;
    sum += weights[i]! * (Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong))));
  }
  let squares = 0;
  for (let k = 0; k < theta.length - 1; k++) squares += theta[k]! ** 2;
  return sum + (penalty * squares) / 2;
}

function derivatives(
  rows: Matrix,
  labels: ArrayLike<number>,
  logits: Float64Array,
  theta: Float64Array,
  weights: Float64Array,
  penalty: number,
): { gradient: Float64Array; hessian: Float64Array[] } {
  const columns = theta.length - 1;
  const gradient = new Float64Array(columns + 1);
  const hessian = Array.from(theta, () => new Float64Array(columns + 1));
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const p = sigmoid(logits[i]!);
    const error = weights[i]! * (p - labels[i]!);
    const curvature = weights[i]! * p * (1 - p);
    for (let a = 0; a <= columns; a++) {
      const left = a === columns ? 1 : row[a]!;
      gradient[a]! += error * left;
      const scaled = curvature * left;
      const into = hessian[a]!;
      for (let b = 0; b < a; b++) into[b]! += scaled * row[b]!;
      into[a]! += scaled * left;
    }
  }
  for (let k = 0; k < columns; k++) {
    gradient[k]! += penalty * theta[k]!;
    hessian[k]![k]! += penalty;
  }
  return { gradient, hessian };
}
