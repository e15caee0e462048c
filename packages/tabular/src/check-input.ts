import { TabularError } from './tabular-error.js';

/** Rows of numbers, [rows][columns]. */
export type Matrix = readonly ArrayLike<number>[];

/** Raises `EMPTY` or `LENGTH_MISMATCH`; returns how many columns there are. */
export function checkRows(rows: readonly ArrayLike<unknown>[], columns = rows[0]?.length): number {
  if (columns === undefined || columns === 0) {
    throw new TabularError({ code: 'EMPTY', message: 'The table has no rows or no columns.' });
  }
  rows.forEach((row, at) => {
    if (row.length === columns) return;
    throw new TabularError({
      code: 'LENGTH_MISMATCH',
      message: `Row ${at} has ${row.length} values where ${columns} are expected.`,
    });
  });
  return columns;
}

/** As `checkRows`, and every value is a finite number (`NOT_FINITE`). */
export function checkMatrix(rows: Matrix, columns?: number): number {
  const width = checkRows(rows, columns);
  rows.forEach((row, at) => {
    for (let column = 0; column < width; column++) {
      if (Number.isFinite(row[column])) continue;
      throw new TabularError({
        code: 'NOT_FINITE',
        message: `Row ${at}, column ${column} is ${String(row[column])}, not a finite number: impute missing values first.`,
      });
    }
  });
  return width;
}

/** Raises `LENGTH_MISMATCH`, `INVALID_LABEL` or `ONE_CLASS`; returns how many labels are 1. */
export function checkLabels(labels: ArrayLike<number>, rows: number): number {
  if (labels.length !== rows) {
    throw new TabularError({
      code: 'LENGTH_MISMATCH',
      message: `There are ${labels.length} labels for ${rows} rows.`,
    });
  }
  let positives = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) {
      throw new TabularError({
        code: 'INVALID_LABEL',
        message: `Label ${i} is ${String(labels[i])}: it has to be 0 or 1, 1 being the positive class.`,
      });
    }
    positives += labels[i]!;
  }
  if (positives === 0 || positives === rows) {
    throw new TabularError({
      code: 'ONE_CLASS',
      message: `All ${rows} labels are ${positives ? 1 : 0}: a classifier needs rows of both classes.`,
    });
  }
  return positives;
}
