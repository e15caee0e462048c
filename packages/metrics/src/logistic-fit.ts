import type { Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';

/** 1 / (1 + exp(-x)) without overflow. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** ln(1 + exp(x)) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Maximum-likelihood `sigmoid(slope x + intercept)` for targets in [0, 1] (hard labels or Platt's soft targets), by Newton
 * steps halved until the likelihood rises (Lin, Lin and Weng 2007). `x` is standardised inside, so its scale is free.
 * The caller has made sure that the optimum is finite.
 */
export function fitLogistic(x: Values, targets: Values): { slope: number; intercept: number } {
  const { mean, deviation } = moments(x);
  const standard = Float64Array.from(x, (value) => (value - mean) / deviation);
  const loss = (slope: number, intercept: number) => {
    let sum = 0;
    for (let i = 0; i < standard.length; i++) {
      const eta = slope * standard[i]! + intercept;
      sum += softplus(eta) - targets[i]! * eta;
    }
    return sum;
  };
  let slope = 0;
  let intercept = 0;
  let current = loss(slope, intercept);
  for (let iteration = 0; iteration < 200; iteration++) {
    let [gs, gi, hss, hsi, hii] = [0, 0, 0, 0, 0];
    for (let i = 0; i < standard.length; i++) {
      const p = sigmoid(slope * standard[i]! + intercept);
      const weight = p * (1 - p);
      gs += (p - targets[i]!) * standard[i]!;
      gi += p - targets[i]!;
      hss += weight * standard[i]! ** 2;
      hsi += weight * standard[i]!;
      hii += weight;
    }
    if (Math.hypot(gs, gi) < 1e-13 * standard.length) break;
    const determinant = hss * hii - hsi * hsi;
    const stepSlope = (hii * gs - hsi * gi) / determinant;
    const stepIntercept = (hss * gi - hsi * gs) / determinant;
    let scale = 1;
    let next = loss(slope - stepSlope, intercept - stepIntercept);
    for (
      ;
      !(next <= current) && scale > 1e-10;
      next = loss(slope - scale * stepSlope, intercept - scale * stepIntercept)
    ) {
      scale /= 2;
    }
    if (!(next <= current)) break; // no descent left within rounding
    slope -= scale * stepSlope;
    intercept -= scale * stepIntercept;
    current = next;
    if (scale * Math.hypot(stepSlope, stepIntercept) < 1e-14) break;
  }
  return { slope: slope / deviation, intercept: intercept - (slope * mean) / deviation };
}

/** The negative log-likelihood of a fit. */
export function logisticLoss(
  x: Values,
  targets: Values,
  { slope, intercept }: { slope: number; intercept: number },
): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const eta = slope * x[i]! + intercept;
    sum += softplus(eta) - targets[i]! * eta;
  }
  return sum;
}

/**
 * Maximum-likelihood `sigmoid(first x + second y + intercept)` by damped Newton steps on centred values; undefined where
 * there is no single finite optimum (x and y collinear, or some direction separates the classes).
 */
export function fitLogisticPlane(
  x: Values,
  y: Values,
  targets: Values,
): { first: number; second: number; intercept: number } | undefined {
  const [mx, my] = [moments(x), moments(y)];
  const u = Float64Array.from(x, (value) => (value - mx.mean) / mx.deviation);
  const v = Float64Array.from(y, (value) => (value - my.mean) / my.deviation);
  const loss = (a: number, b: number, c: number) => {
    let sum = 0;
    for (let i = 0; i < u.length; i++) {
      const eta = a * u[i]! + b * v[i]! + c;
      sum += softplus(eta) - targets[i]! * eta;
    }
    return sum;
  };
  let [a, b, c] = [0, 0, 0];
  let current = loss(a, b, c);
  for (let iteration = 0; iteration < 200; iteration++) {
    const gradient: Triple = [0, 0, 0];
    let [uu, uv, vv, u1, v1, one] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < u.length; i++) {
      const p = 1 / (1 + Math.exp(-(a * u[i]! + b * v[i]! + c)));
      const weight = p * (1 - p);
      const error = p - targets[i]!;
      gradient[0] += error * u[i]!;
      gradient[1] += error * v[i]!;
      gradient[2] += error;
      uu += weight * u[i]! ** 2;
      uv += weight * u[i]! * v[i]!;
      vv += weight * v[i]! ** 2;
      u1 += weight * u[i]!;
      v1 += weight * v[i]!;
      one += weight;
    }
    const step = solveThree([uu, uv, u1], [uv, vv, v1], [u1, v1, one], gradient);
    if (!step || Math.hypot(a, b, c) > 1e8) return undefined;
    let scale = 1;
    let next = loss(a - step[0], b - step[1], c - step[2]);
    while (!(next <= current) && scale > 1e-10) {
      scale /= 2;
      next = loss(a - scale * step[0], b - scale * step[1], c - scale * step[2]);
    }
    const moved = scale * Math.hypot(...step);
    const settled = !(next <= current) || moved < 1e-13 * (1 + Math.hypot(a, b, c));
    if (next <= current) {
      [a, b, c] = [a - scale * step[0], b - scale * step[1], c - scale * step[2]];
      current = next;
    }
    if (settled) {
      const [first, second] = [a / mx.deviation, b / my.deviation];
      return { first, second, intercept: c - first * mx.mean - second * my.mean };
    }
  }
  return undefined;
}

type Triple = [number, number, number];

/** Cramer's rule for a symmetric positive definite system; undefined when it is singular to rounding. */
function solveThree(r0: Triple, r1: Triple, r2: Triple, right: Triple): Triple | undefined {
  const determinant = (x: Triple, y: Triple, z: Triple) =>
    x[0] * (y[1] * z[2] - y[2] * z[1]) -
    x[1] * (y[0] * z[2] - y[2] * z[0]) +
    x[2] * (y[0] * z[1] - y[1] * z[0]);
  const whole = determinant(r0, r1, r2);
  if (!(whole > 1e-13 * r0[0] * r1[1] * r2[2])) return undefined;
  return [
    determinant(right, r1, r2) / whole,
    determinant(r0, right, r2) / whole,
    determinant(r0, r1, right) / whole,
  ];
}

function moments(x: Values): { mean: number; deviation: number } {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! / x.length;
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += (x[i]! - sum) ** 2 / x.length;
  return { mean: sum, deviation: Math.sqrt(squares) };
}

/** Raises `NO_VARIANCE` when all values are the same, so that no slope can be told. */
export function checkVaries(x: Values, name: string): void {
  for (let i = 1; i < x.length; i++) if (x[i] !== x[0]) return;
  throw new MetricsError({
    code: 'NO_VARIANCE',
    message: `All ${x.length} ${name} are ${x[0]}: no slope can be fitted to a constant.`,
  });
}

/** Raises `NO_OPTIMUM` when a threshold separates the classes, in which case the best slope is infinite. */
export function checkOverlap(labels: Values, x: Values, name: string): void {
  const range = [
    { low: Infinity, high: -Infinity },
    { low: Infinity, high: -Infinity },
  ];
  for (let i = 0; i < x.length; i++) {
    const own = range[labels[i]!]!;
    own.low = Math.min(own.low, x[i]!);
    own.high = Math.max(own.high, x[i]!);
  }
  const [negative, positive] = [range[0]!, range[1]!];
  if (negative.high <= positive.low || positive.high <= negative.low) {
    throw new MetricsError({
      code: 'NO_OPTIMUM',
      message: `The ${name} separate the classes perfectly, so the best slope is infinite. Fit on more cases, or use fitPlatt, whose soft targets keep it finite.`,
    });
  }
}
