import { z } from 'zod';
import { CohortError } from './cohort-error.js';

/** Clinical variables of a case by column, as {@link CohortCase.clinical}; null for a value that is not known. */
export type ClinicalRow = Readonly<Record<string, number | string | null>>;

/** More categories than this are a column of numbers with a word among them, or of free text: each would be a feature. */
const MAX_CATEGORIES = 24;

const columnSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('number'),
    name: z.string(),
    mean: z.number(),
    /** Of the training rows, not of a population sampled (divided by n); 1 where they are all alike. */
    standardDeviation: z.number().positive(),
    /** Stands in for a missing value. */
    median: z.number(),
    /** Whether 0/1 for "missing" follows the value. */
    indicator: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('category'),
    name: z.string(),
    /** One feature each. */
    categories: z.array(z.string()).min(1).max(MAX_CATEGORIES),
    indicator: z.boolean(),
  }),
]);

/** What {@link readStandardiser} takes, for a file format that carries it. */
export const standardiserParametersSchema = z.strictObject({
  version: z.literal(2),
  columns: z.array(columnSchema),
  /** How many rows it was fitted on. */
  fittedOn: z.number().int().positive(),
});

type Column = z.infer<typeof columnSchema>;

/** What a fit found out about the training rows: plain JSON. */
export type StandardiserParameters = z.infer<typeof standardiserParametersSchema>;

/** Turns clinical variables into numbers for a model. */
export interface Standardiser {
  /** All that `transform` follows from. */
  parameters: StandardiserParameters;
  /** What each number of a result is: `age`, `age missing`, `stage=III`. */
  features: string[];
  /** One row to `features.length` numbers. @throws CohortError `COLUMN`, `UNKNOWN_CATEGORY` */
  transform(row: ClinicalRow): Float32Array;
}

/**
 * Learns from the training rows, and from nothing else, how to turn clinical variables into numbers: a numeric column to
 * (value - mean) / standard deviation, as scikit-learn's StandardScaler; a text column to one 0/1 feature a category that
 * the training rows hold, as OneHotEncoder. Each column on its own, never across the columns of one patient.
 *
 * A missing number becomes the median of the training rows, a missing category 0 in all. With `missing: 'indicator'` a
 * column that lacks values in the training rows also gets a 0/1 feature that says so (as SimpleImputer's
 * `add_indicator`); one that does not gets none, since nothing could be learnt about it.
 *
 * A category that no training row holds is refused, not given a feature of its own: nothing was learnt about it either.
 *
 * There is no way to refit: give the rows of one fold's train cases, and keep `parameters` with that fold's model.
 *
 * @param trainingRows For example `cases.filter(({ caseId }) => fold.train.includes(caseId)).map((c) => c.clinical)`.
 * @throws CohortError `EMPTY` (no rows), `COLUMN` (unknown, holds numbers and text, no value at all, over 24 categories)
 * @example
 * const standardiser = fitStandardiser(trainingRows, ['age', 'stage'], { missing: 'indicator' });
 * const features = standardiser.transform(testCase.clinical);
 * const kept = readStandardiser(JSON.parse(JSON.stringify(standardiser.parameters)));
 */
export function fitStandardiser(
  trainingRows: readonly ClinicalRow[],
  columns: readonly string[],
  { missing = 'indicator' }: { missing?: 'median' | 'indicator' } = {},
): Standardiser {
  if (trainingRows.length === 0) {
    throw new CohortError({ code: 'EMPTY', message: 'There are no training rows to fit a standardiser on.' });
  }
  return standardiser({
    version: 2,
    columns: columns.map((name) => fitColumn(trainingRows, name, missing === 'indicator')),
    fittedOn: trainingRows.length,
  });
}

/**
 * A standardiser from its parameters.
 *
 * @param parameters Parsed JSON of the `parameters` of what {@link fitStandardiser} gave.
 * @throws CohortError `COLUMN` where it is something else
 * @example
 * const standardiser = readStandardiser(JSON.parse(text));
 */
export function readStandardiser(parameters: unknown): Standardiser {
  const parsed = standardiserParametersSchema.safeParse(parameters);
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
    parameters,
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
  const texts = [...new Set(given.filter((value) => typeof value === 'string'))].sort();
  const problem =
    given.length === 0
      ? `No training row has a value of ${name}: leave the column out.`
      : numbers.length > 0 && texts.length > 0
        ? `${name} holds ${numbers.length} numbers and ${given.length - numbers.length} texts in the training rows: write all as one or the other.`
        : texts.length > MAX_CATEGORIES
          ? `${name} holds ${texts.length} different texts in the training rows, more than the ${MAX_CATEGORIES} categories that a column may have: if they are numbers, some value of the column is not written as one (leave it empty where it is not known).`
          : undefined;
  if (problem !== undefined) throw new CohortError({ code: 'COLUMN', message: problem });
  if (numbers.length === 0) return { kind: 'category', name, categories: texts, indicator };
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length;
  // Values that are all alike differ from their mean by rounding: as StandardScaler, they are not blown up.
  const constant = variance <= (10 * Number.EPSILON * mean) ** 2;
  return {
    kind: 'number',
    name,
    mean,
    standardDeviation: constant ? 1 : Math.sqrt(variance),
    median: medianOf(numbers),
    indicator,
  };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A value is read as its column's kind: `'61'` of a numeric column is a number, 3 of a text column the category `3`. */
function featuresOf(column: Column, row: ClinicalRow): number[] {
  const value = valueIn(row, column.name);
  const missing = column.indicator ? [value === null ? 1 : 0] : [];
  if (column.kind === 'category') {
    if (value !== null && !column.categories.includes(String(value))) {
      throw new CohortError({
        code: 'UNKNOWN_CATEGORY',
        message: `${column.name} is "${value}", which no training case has (they have ${column.categories.join(', ')}): write the category that it belongs to, or leave the value empty where it is not known.`,
      });
    }
    return [
      ...column.categories.map((category) => (value !== null && category === String(value) ? 1 : 0)),
      ...missing,
    ];
  }
  const number = value === null ? column.median : Number(value);
  if (!Number.isFinite(number) || String(value).trim() === '') {
    throw new CohortError({
      code: 'COLUMN',
      message: `${column.name} is "${value}"; the training cases have numbers there.`,
    });
  }
  return [(number - column.mean) / column.standardDeviation, ...missing];
}

function valueIn(row: ClinicalRow, name: string): number | string | null {
  const value = Object.hasOwn(row, name) ? row[name] : undefined;
  if (value !== undefined && (typeof value !== 'number' || Number.isFinite(value))) return value;
  throw new CohortError({
    code: 'COLUMN',
    message:
      value === undefined
        ? `A row has no column ${name}; it has ${Object.keys(row).join(', ') || 'none'}.`
        : `${name} is ${value}; expected a finite number, a text or null.`,
  });
}
