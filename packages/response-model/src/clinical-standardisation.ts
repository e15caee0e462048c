import * as tf from '@tensorflow/tfjs-core';
import { ResponseModelError } from './response-model-error.js';

/** A case's clinical values in the order of `recipe.clinical`; null where one is missing. */
export type ClinicalValues = readonly (number | null)[];

/**
 * Named clinical values in the order of a recipe's columns; undefined where the recipe names none.
 * @throws ResponseModelError MISSING_CLINICAL for columns that are not given (null is given, as not known), INVALID_INPUT
 * for names that are no column
 */
export function clinicalInOrder(
  columns: readonly string[],
  given: Readonly<Record<string, number | null>> = {},
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
  return columns.length > 0 ? columns.map((column) => given[column] as number | null) : undefined;
}

/**
 * Clinical values as (value - mean) / deviation of the training cases; a missing one is their mean, so 0. A column that is
 * the same everywhere is 0 too.
 */
export class ClinicalStandardisation {
  readonly #columns: readonly string[];
  readonly #mean: tf.Variable<tf.Rank.R1>;
  readonly #deviation: tf.Variable<tf.Rank.R1>;

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#mean = tf.tidy(() => tf.variable(tf.zeros([columns.length]), false));
    this.#deviation = tf.tidy(() => tf.variable(tf.ones([columns.length]), false));
  }

  /** @throws ResponseModelError INVALID_INPUT for a column without a value */
  fit(cases: readonly ClinicalValues[]): void {
    const fitted = this.#columns.map((column, at) => {
      const values = cases.flatMap((each) => each[at] ?? []);
      if (values.length === 0) {
        throw new ResponseModelError({
          code: 'INVALID_INPUT',
          message: `no training case has a value of the clinical column ${column}: leave it out of model.clinical`,
        });
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return { mean, deviation: Math.sqrt(variance) || 1 };
    });
    tf.tidy(() => {
      this.#mean.assign(tf.tensor1d(fitted.map(({ mean }) => mean)));
      this.#deviation.assign(tf.tensor1d(fitted.map(({ deviation }) => deviation)));
    });
  }

  /** @throws ResponseModelError MISSING_CLINICAL where none are given, INVALID_INPUT for other than numbers */
  check(values: ClinicalValues | undefined): asserts values is ClinicalValues {
    if (!values) {
      throw new ResponseModelError({
        code: 'MISSING_CLINICAL',
        message: `the model needs the clinical values ${this.#columns.join(', ')}: give them (null for one that is not known)`,
      });
    }
    const wrong = this.#columns.filter((_, at) => values[at] !== null && !Number.isFinite(values[at]));
    if (wrong.length > 0 || values.length !== this.#columns.length) {
      throw new ResponseModelError({
        code: 'INVALID_INPUT',
        message: `the model needs a number (or null) for each clinical column, ${this.#columns.join(', ')}${wrong.length > 0 ? `; ${wrong.join(', ')} has none` : ''}`,
      });
    }
  }

  /** Values of B cases -> [B, C]. */
  transform(cases: readonly ClinicalValues[] | undefined, count: number): tf.Tensor2D {
    if (!cases || cases.length !== count) this.check(undefined);
    return tf.tidy(() => {
      const rows = cases!.map((values) => {
        this.check(values);
        return values.map((value) => value ?? Number.NaN);
      });
      const given = tf.tensor2d(rows, [count, this.#columns.length]);
      const standardised = tf.div(tf.sub(given, this.#mean), this.#deviation) as tf.Tensor2D;
      return tf.where(tf.isNaN(given), tf.zerosLike(standardised), standardised);
    });
  }

  tensors(): Record<string, tf.Variable> {
    return { mean: this.#mean, deviation: this.#deviation };
  }

  dispose(): void {
    tf.dispose([this.#mean, this.#deviation]);
  }
}
