import type { CohortCase } from '@onco-response/cohort';
import type { SubgroupColumn } from '@onco-response/report';
import { z } from 'zod';
import { TrainError } from './train-error.js';

const text = z.string().min(1);

/** Columns to break the main model's results down by. */
export const subgroupsSchema = z
  .array(
    z.strictObject({
      column: text,
      /** As printed; the column's name unless given. */
      name: text.optional(),
      /** Prints other words than the table's values. */
      values: z.record(z.string(), text).optional(),
      /** A column of numbers is cut there; at the tertiles unless given. */
      cuts: z.array(z.number()).optional(),
    }),
  )
  .default([]);

export type Subgroups = z.infer<typeof subgroupsSchema>;

/** The subgroup columns with a value for each row, `valueIn` a row's value of a column. */
export function subgroupColumns<Row>(
  rows: readonly Row[],
  subgroups: Subgroups,
  valueIn: (row: Row, column: string) => string | number | null,
): SubgroupColumn[] {
  return subgroups.map(({ column, name = column, values: words, cuts }) => ({
    name,
    values: rows.map((row) => {
      const value = valueIn(row, column);
      return value === null ? null : (words?.[String(value)] ?? value);
    }),
    ...(cuts && { cuts }),
  }));
}

/** A cohort's `site` or one of its further columns. */
export function cohortValue(each: CohortCase, column: string): string | number | null {
  return column === 'site' ? each.site : (each.clinical[column] ?? null);
}

/** @throws TrainError INVALID_STUDY for a subgroup column that the cohort's table has not */
export function checkSubgroups(subgroups: Subgroups, cases: readonly CohortCase[]): void {
  for (const { column } of subgroups) {
    if (cases.some((each) => cohortValue(each, column) !== null)) continue;
    const columns = [...new Set(cases.flatMap(({ clinical }) => Object.keys(clinical)))];
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `evaluation.subgroups names ${column}, of which the cohort's table has no values (columns there: ${['site', ...columns].join(', ')})`,
    });
  }
}
