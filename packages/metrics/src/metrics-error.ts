const MARKER = Symbol.for('onco-response.MetricsError');

/**
 * Why a metric could not be computed:
 * - `EMPTY`: no values. `LENGTH_MISMATCH`: arrays of unequal length. `NOT_FINITE`: a NaN or an infinity.
 * - `INVALID_LABEL`: a label other than 0 or 1. `ONE_CLASS`: only positives or only negatives.
 * - `OUT_OF_RANGE`: a probability outside [0, 1], a negative time. `INVALID_OPTION`: an option that makes no sense.
 * - `TOO_FEW`: fewer values than the formula needs. `NO_VARIANCE`: the statistic is 0/0 because something is constant.
 * - `NO_OPTIMUM`: a fit whose best parameters are infinite, such as a slope on separable classes.
 */
export type MetricsErrorCode =
  | 'EMPTY'
  | 'LENGTH_MISMATCH'
  | 'NOT_FINITE'
  | 'INVALID_LABEL'
  | 'ONE_CLASS'
  | 'OUT_OF_RANGE'
  | 'INVALID_OPTION'
  | 'TOO_FEW'
  | 'NO_VARIANCE'
  | 'NO_OPTIMUM';

/**
 * The only error this package throws: a metric is either a finite number or this.
 *
 * @example
 * try { rocAuc([1, 1], [0.2, 0.4]) } catch (error) { MetricsError.isInstance(error) && error.code } // 'ONE_CLASS'
 */
export class MetricsError extends Error {
  override readonly name = 'MetricsError';
  readonly code: MetricsErrorCode;
  // Survives two copies of the package in one process, where `instanceof` fails.
  readonly [MARKER] = true;

  constructor({ code, message, cause }: { code: MetricsErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static isInstance(error: unknown): error is MetricsError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
