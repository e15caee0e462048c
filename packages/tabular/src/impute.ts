import { checkRows } from './check-input.js';
import { TabularError } from './tabular-error.js';

/** What a fit found out: plain JSON. */
export interface ImputerParameters {
  /** Stands for a missing value of each column. */
  values: number[];
  /** Columns (from 0) that get a 0/1 column for "missing", in this order after all columns. */
  indicators: number[];
}

/** Fills gaps; `JSON.stringify` keeps its parameters. */
export interface Imputer extends ImputerParameters {
  /** [rows][columns] with null for a missing value -> [rows][columns + indicators] */
  transform(rows: readonly (readonly (number | null)[])[]): number[][];
}

/**
 * Learns each column's median (or mean) from the training rows, to stand for missing values. With `indicator`, a column
 * that lacks values in the training rows also gets a 0/1 column that says so, after all others; a column that lacks none
 * there gets none, so a later gap is filled in silence, as in scikit-learn.
 *
 * @param rows [rows][columns], null for a missing value
 * @throws TabularError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `COLUMN` for a column without any value
 * @see scikit-learn `SimpleImputer(strategy, add_indicator)`
 * @example
 * fitImputer([[1], [null], [5]]).transform([[null]]) // [[3, 1]]
 */
export function fitImputer(
  rows: readonly (readonly (number | null)[])[],
  { strategy = 'median', indicator = true }: { strategy?: 'median' | 'mean'; indicator?: boolean } = {},
): Imputer {
  const columns = checkRows(rows);
  checkCells(rows);
  if (strategy !== 'median' && strategy !== 'mean') {
    throw new TabularError({
      code: 'INVALID_OPTION',
      message: `strategy is ${String(strategy)}: give 'median' or 'mean'.`,
    });
  }
  const values: number[] = [];
  const indicators: number[] = [];
  for (let column = 0; column < columns; column++) {
    const given = rows.map((row) => row[column] ?? null).filter((value) => value !== null);
    if (given.length === 0) {
      throw new TabularError({
        code: 'COLUMN',
        message: `Column ${column} has no value in the ${rows.length} training rows: leave it out.`,
      });
    }
    values.push(strategy === 'median' ? median(given) : given.reduce((sum, x) => sum + x, 0) / given.length);
    if (indicator && given.length < rows.length) indicators.push(column);
  }
  return restoreImputer({ values, indicators });
}

export function restoreImputer({ values, indicators }: ImputerParameters): Imputer {
  return {
    values,
    indicators,
    transform: (rows) => {
      if (rows.length > 0) checkRows(rows, values.length);
      checkCells(rows);
      return rows.map((row) => [
        ...row.map((value, column) => value ?? values[column]!),
        ...indicators.map((column) => (row[column] === null ? 1 : 0)),
      ]);
    },
  };
}

function checkCells(rows: readonly (readonly (number | null)[])[]): void {
  rows.forEach((row, at) => {
    row.forEach((value, column) => {
      if (value === null || Number.isFinite(value)) return;
      throw new TabularError({
        code: 'NOT_FINITE',
        message: `Row ${at}, column ${column} is ${String(value)}: expected a finite number, or null where it is missing.`,
      });
    });
  });
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
