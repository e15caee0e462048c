const MARKER = Symbol.for('onco-response.TabularError');

/**
 * Why a table could not be used:
 * - `EMPTY`: no rows or no columns. `LENGTH_MISMATCH`: rows of unequal length, or labels that are not one a row.
 * - `NOT_FINITE`: a NaN or an infinity. `INVALID_LABEL`: a label other than 0 or 1. `ONE_CLASS`: only one of them.
 * - `COLUMN`: a column that is not there, that holds the wrong kind of value, or no value at all in the training rows.
 * - `UNKNOWN_CATEGORY`: a category that the training rows do not have, where the policy is to refuse it.
 * - `INVALID_OPTION`: an option that makes no sense. `PARAMETERS`: JSON that is no fitted pipeline.
 * - `NO_OPTIMUM`: without a penalty, coefficients that are infinite (separable classes) or not determined (collinear columns).
 */
export type TabularErrorCode =
  | 'EMPTY'
  | 'LENGTH_MISMATCH'
  | 'NOT_FINITE'
  | 'INVALID_LABEL'
  | 'ONE_CLASS'
  | 'COLUMN'
  | 'UNKNOWN_CATEGORY'
  | 'INVALID_OPTION'
  | 'PARAMETERS'
  | 'NO_OPTIMUM';

/**
 * The only error this package throws. Messages name columns and row numbers (from 0), never a patient.
 *
 * @example
 * try { fitLogistic([[1]], [1]) } catch (error) { TabularError.isInstance(error) && error.code } // 'ONE_CLASS'
 */
export class TabularError extends Error {
  override readonly name = 'TabularError';
  readonly code: TabularErrorCode;
  // Survives two copies of the package in one process, where `instanceof` fails.
  readonly [MARKER] = true;

  constructor({ code, message, cause }: { code: TabularErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static isInstance(error: unknown): error is TabularError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
