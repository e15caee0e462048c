export type WeightsErrorCode =
  | 'TRUNCATED'
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  | 'DUPLICATE_KEY'
  | 'MISSING_KEYS'
  | 'UNEXPECTED_KEYS'
  | 'SHAPE_MISMATCH';

const MARKER = Symbol.for('onco-response.WeightsError');

/** What was found in a weights file, where, and what to do about it. */
export class WeightsError extends Error {
  readonly code: WeightsErrorCode;
  readonly [MARKER] = true;

  constructor({ code, message, cause }: { code: WeightsErrorCode; message: string; cause?: unknown }) {
    super(message, { cause });
    this.name = 'WeightsError';
    this.code = code;
  }

  /** Works across copies of this package, where `instanceof` does not. */
  static isInstance(error: unknown): error is WeightsError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
