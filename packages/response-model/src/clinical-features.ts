import type { Standardiser } from '@onco-response/cohort';
import * as tf from '@tensorflow/tfjs-core';
import { ResponseModelError } from './response-model-error.js';

/** A case's clinical values in the order of `recipe.clinical`: numbers, categories, null where one is not known. */
export type ClinicalValues = readonly (number | string | null)[];

/**
 * Named clinical values in the order of a recipe's columns; undefined where the recipe names none.
 * @throws ResponseModelError MISSING_CLINICAL for columns that are not given (null is given, as not known), INVALID_INPUT
 * for names that are no column
 */
export function clinicalInOrder(
  columns: readonly string[],
  given: Readonly<Record<string, number | string | null>> = {},
): ClinicalValues | undefined {
  const missing = columns.filter((column) => !Object.hasOwn(given, column));
  const unknown = Object.keys(given).filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new ResponseModelError({
      code: 'MISSING_CLINICAL',
      message: `the model needs the clinical values ${columns.join(', ')}; ${missing.join(', ')} is not given`,
    });
  }
  if (unknown.length > 0) {
    throw new ResponseModelError({
      code: 'INVALID_INPUT',
      message: `the model has no clinical column ${unknown.join(', ')}; it has ${columns.join(', ') || 'none'}`,
    });
  }
  return columns.length > 0 ? columns.map((column) => given[column] as number | string | null) : undefined;
}

/**
 * @param standardiser fitted on the columns of a recipe, in their order
 * @throws ResponseModelError INVALID_RECIPE where there is none, or one of other columns
 */
export function checkStandardiser(
  columns: readonly string[],
  standardiser: Standardiser | undefined,
): Standardiser | undefined {
  const fitted = standardiser?.parameters.columns.map(({ name }) => name) ?? [];
  if (fitted.join('\n') === columns.join('\n')) return columns.length > 0 ? standardiser : undefined;
  throw new ResponseModelError({
    code: 'INVALID_RECIPE',
    message: `the recipe names the clinical columns ${columns.join(', ') || '(none)'}, the standardiser ${fitted.join(', ') || '(none)'}: give fitStandardiser(trainingRows, recipe.clinical) of @onco-response/cohort`,
  });
}

/**
 * A case's clinical features.
 * @throws ResponseModelError MISSING_CLINICAL where no values are given, INVALID_INPUT for another number of them;
 * CohortError COLUMN for a word in place of a number, UNKNOWN_CATEGORY
 */
export function clinicalFeatures(
  standardiser: Standardiser,
  values: ClinicalValues | undefined,
): Float32Array {
  const names = standardiser.parameters.columns.map(({ name }) => name);
  if (!values) {
    throw new ResponseModelError({
      code: 'MISSING_CLINICAL',
      message: `the model needs the clinical values ${names.join(', ')}: give them (null for one that is not known)`,
    });
  }
  if (values.length !== names.length) {
    throw new ResponseModelError({
      code: 'INVALID_INPUT',
      message: `the model needs a value (or null) for each clinical column, ${names.join(', ')}; ${values.length} are given`,
    });
  }
  return standardiser.transform(Object.fromEntries(names.map((name, at) => [name, values[at] ?? null])));
}

/** Values of B cases -> [B, F]. */
export function clinicalTensor(
  standardiser: Standardiser,
  cases: readonly ClinicalValues[] | undefined,
  count: number,
): tf.Tensor2D {
  const rows = Array.from({ length: count }, (_, at) => clinicalFeatures(standardiser, cases?.[at]));
  const width = standardiser.features.length;
  const data = new Float32Array(count * width);
  rows.forEach((row, at) => {
    data.set(row, at * width);
  });
  return tf.tensor2d(data, [count, width]);
}
