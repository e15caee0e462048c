import { checkMatrix, type Matrix } from './check-input.js';

/** What a fit found out: plain JSON. */
export interface ScalerParameters {
  means: number[];
  /** Standard deviations (divided by n); 1 for a constant column. */
  deviations: number[];
}

/** Brings columns to mean 0 and deviation 1; `JSON.stringify` keeps its parameters. */
export interface Scaler extends ScalerParameters {
  /** [rows][columns] -> the same shape */
  transform(rows: Matrix): number[][];
}

/**
 * Learns each column's mean and standard deviation from the training rows. A constant column becomes 0: values that are all
 * alike differ from their mean by rounding, which is not blown up.
 *
 * @throws TabularError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`
 * @see scikit-learn `StandardScaler`
 * @example
 * fitScaler([[1], [3]]).transform([[5]]) // [[3]]
 */
export function fitScaler(rows: Matrix): Scaler {
  const columns = checkMatrix(rows);
  const means: number[] = [];
  const deviations: number[] = [];
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (const row of rows) sum += row[column]!;
    const mean = sum / rows.length;
    let squares = 0;
    for (const row of rows) squares += (row[column]! - mean) ** 2;
    const variance = squares / rows.length;
    // scikit-learn's bound on the rounding of a sum of n equal values.
    const n = rows.length;
    const constant = variance <= n * Number.EPSILON * variance + (n * mean * Number.EPSILON) ** 2;
    means.push(mean);
    deviations.push(constant ? 1 : Math.sqrt(variance));
  }
  return restoreScaler({ means, deviations });
}

export function restoreScaler({ means, deviations }: ScalerParameters): Scaler {
  return {
    means,
    deviations,
    transform: (rows) => {
      if (rows.length > 0) checkMatrix(rows, means.length);
      return rows.map((row) =>
        Array.from(row, (value, column) => (value - means[column]!) / deviations[column]!),
      );
    },
  };
}
