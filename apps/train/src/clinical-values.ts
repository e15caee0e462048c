import { createHash } from 'node:crypto';
import { type CohortCase, CohortError, fitStandardiser, type Standardiser } from '@onco-response/cohort';
import type { ClinicalValues } from '@onco-response/response-model';
import { casesOfFold, type Fold } from './study-folds.js';
import { TrainError } from './train-error.js';

/** What a row of the cohort's table says beside image, mask and label. */
export interface WithClinical {
  clinical?: Record<string, number | string | null>;
}

/**
 * A case's values of the study's clinical columns.
 * @throws TrainError INVALID_STUDY for a column that the table does not have
 */
export function clinicalValues({ clinical = {} }: WithClinical, columns: readonly string[]): ClinicalValues {
  return columns.map((column) => {
    const value = Object.hasOwn(clinical, column) ? clinical[column] : undefined;
    if (value !== undefined) return value;
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `model.clinical names ${column}, which the cohort's table has no column of (there are: ${Object.keys(clinical).join(', ') || 'none'})`,
    });
  });
}

/** The clinical values of cases as `ResponseModel.forward` wants them; nothing where the recipe names no columns. */
export function clinicalOf(
  cases: readonly WithClinical[],
  { clinical }: { clinical: readonly string[] },
): { clinical?: ClinicalValues[] } {
  return clinical.length === 0 ? {} : { clinical: cases.map((each) => clinicalValues(each, clinical)) };
}

/**
 * How a trial turns clinical values into numbers, learnt from its training cases and from nothing else; undefined where
 * the study names no columns.
 * @throws CohortError COLUMN, TrainError INVALID_STUDY
 */
export function fitClinical(
  columns: readonly string[],
  train: readonly WithClinical[],
): Standardiser | undefined {
  if (columns.length === 0) return undefined;
  return fitStandardiser(
    train.map((each) => namedValues(each, columns)),
    columns,
  );
}

/**
 * Fits every fold and gives it all cases that its model will be given, so that a category which a fold's training cases
 * lack refuses the plan, not the last trial of the night.
 * @throws TrainError INVALID_STUDY naming fold, line and column
 */
export function checkClinical(
  columns: readonly string[],
  {
    cases,
    external,
    folds,
  }: { cases: readonly CohortCase[]; external: readonly CohortCase[]; folds: Fold[] },
): void {
  if (columns.length === 0) return;
  for (const fold of folds) {
    const { train, validation, test } = casesOfFold(cases, fold);
    let at = 'its training cases';
    try {
      const standardiser = fitClinical(columns, train) as Standardiser;
      for (const [table, rows] of [
        ['the cohort', [...validation, ...test]],
        ['the external cohort', external],
      ] as const) {
        for (const each of rows) {
          at = `line ${each.line} of ${table}`;
          standardiser.transform(namedValues(each, columns));
        }
      }
    } catch (error) {
      if (!CohortError.isInstance(error)) throw error;
      throw new TrainError({
        code: 'INVALID_STUDY',
        message: `model.clinical, ${fold.name}, ${at}: ${error.message}`,
        cause: error,
      });
    }
  }
}

/** A hash of all values of a study's clinical columns; undefined where it names none. */
export function clinicalHash(
  columns: readonly string[],
  { cases, external }: { cases: readonly CohortCase[]; external: readonly CohortCase[] },
): string | undefined {
  if (columns.length === 0) return undefined;
  const rows = [...cases, ...external].map((each) => [each.caseId, ...clinicalValues(each, columns)]);
  return createHash('sha256')
    .update(JSON.stringify([columns, rows]))
    .digest('hex');
}

const namedValues = (each: WithClinical, columns: readonly string[]) => {
  const values = clinicalValues(each, columns);
  return Object.fromEntries(columns.map((column, at) => [column, values[at] as string | number | null]));
};
