import { MetricsError } from './metrics-error.js';

/** The lower triangle L with L L' = matrix, [d, d] row-major. @throws MetricsError NO_VARIANCE for a matrix without an inverse */
export function cholesky(matrix: Float64Array, d: number): Float64Array {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * d + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * d + k]! * lower[j * d + k]!;
      if (i !== j) {
        lower[i * d + j] = sum / lower[j * d + j]!;
        continue;
      }
      // What rounding leaves of 0 is no variance.
      if (sum <= matrix[i * d + i]! * d * Number.EPSILON) {
        throw new MetricsError({
          code: 'NO_VARIANCE',
          message: `The covariance has no inverse: a column is constant or follows from others, or there are not more rows than the ${d} columns. Give shrinkage.`,
        });
      }
      lower[i * d + i] = Math.sqrt(sum);
    }
  }
  return lower;
}

/** z' (L L')^-1 z = |L^-1 z|^2. */
export function solvedNorm(lower: Float64Array, z: Float64Array): number {
  const d = z.length;
  const solved = new Float64Array(d);
  let norm = 0;
  for (let i = 0; i < d; i++) {
    let value = z[i]!;
    for (let k = 0; k < i; k++) value -= lower[i * d + k]! * solved[k]!;
    value /= lower[i * d + i]!;
    solved[i] = value;
    norm += value * value;
  }
  return norm;
}
