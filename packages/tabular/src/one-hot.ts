import { checkRows } from './check-input.js';
import { TabularError } from './tabular-error.js';

export type UnknownCategory = 'ignore' | 'error';

/** What a fit found out: plain JSON. */
export interface OneHotParameters {
  /** Of each column, sorted by code unit; null (missing) is a category of its own, the last. */
  categories: (string | null)[][];
  unknown: UnknownCategory;
}

/** Turns categories into 0/1 columns; `JSON.stringify` keeps its parameters. */
export interface OneHot extends OneHotParameters {
  /** [rows][columns] -> [rows][all categories of the first column, of the second, ...] */
  transform(rows: readonly (readonly (string | null)[])[]): number[][];
}

/**
 * Learns the categories that the training rows hold: one 0/1 column each, none dropped. A missing value in the training
 * rows is a category like any other. A category that appears later is 0 in all columns (`unknown: 'ignore'`, the default)
 * or refused (`'error'`); so is a missing value where the training rows have none.
 *
 * @param rows [rows][columns], null for a missing value
 * @throws TabularError `EMPTY`, `LENGTH_MISMATCH`, `INVALID_OPTION`; its `transform` also `UNKNOWN_CATEGORY`
 * @see scikit-learn `OneHotEncoder(handle_unknown)`, whose default is 'error'
 * @example
 * fitOneHot([['II'], ['III'], ['II']]).transform([['III'], ['IV']]) // [[0, 1], [0, 0]]
 */
export function fitOneHot(
  rows: readonly (readonly (string | null)[])[],
  { unknown = 'ignore' }: { unknown?: UnknownCategory } = {},
): OneHot {
  const columns = checkRows(rows);
  if (unknown !== 'ignore' && unknown !== 'error') {
    throw new TabularError({
      code: 'INVALID_OPTION',
      message: `unknown is ${String(unknown)}: give 'ignore' or 'error'.`,
    });
  }
  const categories = Array.from({ length: columns }, (_, column) => {
    const found = new Set(rows.map((row) => row[column] ?? null));
    const named = [...found].filter((category) => category !== null).sort();
    return found.has(null) ? [...named, null] : named;
  });
  return restoreOneHot({ categories, unknown });
}

export function restoreOneHot({ categories, unknown }: OneHotParameters): OneHot {
  const known = categories.map((each) => new Set(each));
  return {
    categories,
    unknown,
    transform: (rows) => {
      if (rows.length > 0) checkRows(rows, categories.length);
      return rows.map((row, at) =>
        row.flatMap((value, column) => {
          if (unknown === 'error' && !known[column]!.has(value)) {
            throw new TabularError({
              code: 'UNKNOWN_CATEGORY',
              message: `Row ${at}, column ${column} is ${value === null ? 'missing' : `"${value}"`}; the training rows have ${categories[column]!.map((each) => each ?? 'missing').join(', ')}.`,
            });
          }
          return categories[column]!.map((category) => (category === value ? 1 : 0));
        }),
      );
    },
  };
}
