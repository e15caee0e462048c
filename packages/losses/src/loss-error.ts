const marker = Symbol.for('onco-response.LossError');

/** What went wrong: wrong tensor shape, wrong labels, or wrong options. */
export type LossErrorCode = 'SHAPE' | 'LABELS' | 'OPTIONS';

/** The one error class of this package. */
export class LossError extends Error {
  readonly [marker] = true;
  readonly code: LossErrorCode;

  constructor({ code, message, cause }: { code: LossErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LossError';
    this.code = code;
  }

  /** True for an LossError of any copy of this package in the process. */
  static isInstance(error: unknown): error is LossError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
