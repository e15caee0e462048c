import { z } from 'zod';
import { CohortError } from './cohort-error.js';

/** Clinical variables of a case by column, as {@link CohortCase.clinical}. */
export type ClinicalRow = Readonly<Record<string, number | string | null>>;

const columnSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('number'),
    name: z.string(),
    mean: z.number(),
    /** Of the training rows, not of a population sampled (divided by n); 1 where they are all alike. */
    standardDeviation: z.number().positive(),
    /** Whether 0/1 for "missing" follows the value. */
    indicator: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('category'),
    name: z.string(),
    /** One feature each. */
    categories: z.array(z.string()),
    indicator: z.boolean(),
  }),
]);
const parametersSchema = z.strictObject({
  version: z.literal(1),
  columns: z.array(columnSchema),
  /** How many rows it was fitted on. */
  fittedOn: z.number().int().positive(),
});

type Column = z.infer<typeof columnSchema>;

/** What a fit found out about the training rows: plain JSON. */
export type StandardiserParameters = z.infer<typeof parametersSchema>;

/** Turns clinical variables into numbers for a model; `JSON.stringify` keeps its parameters. */
export interface Standardiser extends StandardiserParameters {
  /** What each number of a result is: `age`, `age missing`, `stage=III`. */
  features: string[];
  /** One row to `features.length` numbers. @throws CohortError `COLUMN` */
  transform(row: ClinicalRow): Float32Array;
}

/**
 * Learns from the training rows, and from nothing else, how to turn clinical variables into numbers: a numeric column to
 * (value - mean) / standard deviation, as scikit-learn's StandardScaler; a text column to one 0/1 feature a category that
 * the training rows hold (a new category is 0 in all). Each column on its own, never across the columns of one patient.
 *
 * A missing number becomes the training mean, 0; a missing category 0 in all. With `missing: 'indicator'` a column that
 * lacks values in the training rows also gets a 0/1 feature that says so (as SimpleImputer's `add_indicator`).
 *
 * There is no way to refit: give the rows of one fold's train cases, and keep the result with that fold's model.
 *
 * @param trainingRows For example `cases.filter(({ caseId }) => fold.train.includes(caseId)).map((c) => c.clinical)`.
 * @throws CohortError `EMPTY` (no rows), `COLUMN` (unknown, holds numbers and text, or no value at all)
 * @example
 * const standardiser = fitStandardiser(trainingRows, ['age', 'stage'], { missing: 'indicator' });
 * const features = standardiser.transform(testCase.clinical);
 * const kept = readStandardiser(JSON.parse(JSON.stringify(standardiser)));
 */
export function fitStandardiser(
  trainingRows: readonly ClinicalRow[],
  columns: readonly string[],
  { missing = 'indicator' }: { missing?: 'mean' | 'indicator' } = {},
): Standardiser {
  if (trainingRows.length === 0) {
    throw new CohortError({ code: 'EMPTY', message: 'There are no training rows to fit a standardiser on.' });
  }
  return standardiser({
    version: 1,
    columns: columns.map((name) => fitColumn(trainingRows, name, missing === 'indicator')),
    fittedOn: trainingRows.length,
  });
}

/**
 * A standardiser from its parameters.
 *
 * @param parameters Parsed JSON of what {@link fitStandardiser} gave.
 * @throws CohortError `COLUMN` where it is something else
 * @example
 * const standardiser = readStandardiser(JSON.parse(text));
 */
export function readStandardiser(parameters: unknown): Standardiser {
  // JSON.stringify of a standardiser keeps the feature names too; they follow from the columns.
  const { features: _, ...rest } = (parameters ?? {}) as Record<string, unknown>;
  const parsed = parametersSchema.safeParse(rest);
  if (parsed.success) return standardiser(parsed.data);
  const issue = parsed.error.issues[0]!;
  throw new CohortError({
    code: 'COLUMN',
    message: `These are no standardiser's parameters: ${issue.path.join('.') || 'the content'}: ${issue.message}.`,
    cause: parsed.error,
  });
}

function standardiser(parameters: StandardiserParameters): Standardiser {
  const { columns } = parameters;
  return {
    ...parameters,
    features: columns.flatMap((column) => [
      ...(column.kind === 'number' ? [column.name] : column.categories.map((c) => `${column.name}=${c}`)),
      ...(column.indicator ? [`${column.name} missing`] : []),
    ]),
    transform: (row) => Float32Array.from(columns.flatMap((column) => featuresOf(column, row))),
  };
}

function fitColumn(rows: readonly ClinicalRow[], name: string, indicate: boolean): Column {
  const given = rows.map((row) => valueIn(row, name)).filter((value) => value !== null);
  const indicator = indicate && given.length < rows.length;
  const numbers = given.filter((value) => typeof value === 'number');
  if (given.length === 0 || (numbers.length > 0 && numbers.length < given.length)) {
    throw new CohortError({
      code: 'COLUMN',
      message:
        given.length === 0
          ? `No training row has a value of ${name}: leave the column out.`
          : `${name} holds ${numbers.length} numbers and ${given.length - numbers.length} texts in the training rows.`,
    });
  }
  if (numbers.length === 0) {
    return { kind: 'category', name, categories: [...new Set(given as string[])].sort(), indicator };
  }
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length;
  // Values that are all alike differ from their mean by rounding: as StandardScaler, they are not blown up.
  const constant = variance <= (10 * Number.EPSILON * mean) ** 2;
  return { kind: 'number', name, mean, standardDeviation: constant ? 1 : Math.sqrt(variance), indicator };
}

function featuresOf(column: Column, row: ClinicalRow): number[] {
  const value = valueIn(row, column.name);
  if (value !== null && (typeof value === 'number') !== (column.kind === 'number')) {
    throw new CohortError({
      code: 'COLUMN',
      message: `${column.name} was fitted on ${column.kind === 'number' ? 'numbers' : 'texts'}, and this row has the other.`,
    });
  }
  const missing = column.indicator ? [value === null ? 1 : 0] : [];
  if (column.kind === 'category')
    return [...column.categories.map((category) => (category === value ? 1 : 0)), ...missing];
  return [value === null ? 0 : ((value as number) - column.mean) / column.standardDeviation, ...missing];
}

function valueIn(row: ClinicalRow, name: string): number | string | null {
  const value = row[name];
  if (value !== undefined && (typeof value !== 'number' || Number.isFinite(value))) return value;
  throw new CohortError({
    code: 'COLUMN',
    message:
      value === undefined
        ? `A row has no column ${name}; it has ${Object.keys(row).join(', ') || 'none'}.`
        : `${name} is ${value}; expected a finite number, a text or null.`,
  });
}
