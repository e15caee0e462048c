const marker = Symbol.for('onco-response.AggregationError');

/** What went wrong: wrong options, wrong tensor shape, wrong initial weights, or a size asked for before it is known. */
export type AggregationErrorCode = 'OPTIONS' | 'SHAPE' | 'WEIGHTS' | 'SIZE_UNKNOWN';

/** The one error class of this package. */
export class AggregationError extends Error {
  readonly [marker] = true;
  readonly code: AggregationErrorCode;

  constructor({ code, message, cause }: { code: AggregationErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AggregationError';
    this.code = code;
  }

  /** True for an AggregationError of any copy of this package in the process. */
  static isInstance(error: unknown): error is AggregationError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
