import type { Statistic } from './bootstrap-ci.js';
import { checkCount, checkSameLength, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { seededRandom } from './seeded-random.js';

export interface PermutationImportance {
  /** the statistic on the rows as given */
  baseline: number;
  columns: ColumnImportance[];
}

export interface ColumnImportance {
  column: number;
  /** mean of `values`: what the statistic loses when this column says nothing */
  mean: number;
  /** standard deviation over the repeats (divided by their number), of the shuffling alone: no interval for other cases */
  deviation: number;
  /** baseline - statistic after each shuffle */
  values: number[];
}

/**
 * How much a statistic of a model depends on each column of its input: baseline - statistic with the column shuffled among the
 * cases, `repeats` times. Columns that carry the same information share it and may each look unimportant; a negative value
 * means that shuffling helped.
 *
 * @param statistic such as `rocAuc`, larger is better
 * @param predict scores of rows, by the model as it is (nothing is fitted again)
 * @param rows [cases][columns], of cases that did not train the model
 * @throws MetricsError as the statistic; `EMPTY`, `LENGTH_MISMATCH`; `INVALID_OPTION`
 * @see Breiman 2001; Fisher, Rudin and Dominici 2019; scikit-learn `permutation_importance`
 * @example
 * permutationImportance(rocAuc, (rows) => rows.map(([age]) => age), [1, 0, 1, 0], [[9, 1], [3, 1], [8, 0], [2, 0]])
 */
export function permutationImportance<T>(
  statistic: Statistic,
  predict: (rows: T[][]) => Values,
  labels: Values,
  rows: readonly (readonly T[])[],
  { repeats = 5, seed = 0 }: { repeats?: number; seed?: number } = {},
): PermutationImportance {
  checkCount(repeats, 'repeats');
  const width = rows[0]?.length ?? 0;
  checkSameLength(labels, Array(rows.length).fill(0), 'labels', 'rows');
  const ragged = rows.findIndex(({ length }) => length !== width);
  if (ragged >= 0 || width === 0) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `rows[${Math.max(0, ragged)}] has ${rows[ragged]?.length ?? 0} columns: give each case as many, at least one.`,
    });
  }
  const random = seededRandom(seed);
  const orders = Array.from({ length: width }, () =>
    Array.from({ length: repeats }, () => shuffled(rows.length, random)),
  );
  return importanceOf(statistic, predict, labels, rows, orders);
}

/** The same with given shuffles, [columns][repeats][cases]: case i gets the column's value of case `orders[..][..][i]`. */
export function importanceOf<T>(
  statistic: Statistic,
  predict: (rows: T[][]) => Values,
  labels: Values,
  rows: readonly (readonly T[])[],
  orders: readonly (readonly (readonly number[])[])[],
): PermutationImportance {
  const measure = (given: T[][]) => {
    const scores = Array.from(predict(given));
    checkSameLength(labels, scores, 'labels', 'what predict returns');
    return statistic(Array.from(labels), scores);
  };
  const baseline = measure(rows.map((row) => [...row]));
  const columns = orders.map((ofColumn, column): ColumnImportance => {
    const values = ofColumn.map((order) => {
      const changed = rows.map((row, i) => row.with(column, rows[order[i]!]![column]!));
      return baseline - measure(changed);
    });
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { column, mean, deviation: Math.sqrt(variance), values };
  });
  return { baseline, columns };
}

/** 0 to length - 1 in random order (Fisher-Yates). */
function shuffled(length: number, random: () => number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
