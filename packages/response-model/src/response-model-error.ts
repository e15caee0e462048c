const MARKER = Symbol.for('onco-response.ResponseModelError');

export type ResponseModelErrorCode =
  | 'INVALID_RECIPE'
  | 'INVALID_BUNDLE'
  | 'MISSING_FILE'
  | 'HASH_MISMATCH'
  | 'MISSING_KEYS'
  | 'UNEXPECTED_KEYS'
  | 'SHAPE_MISMATCH'
  | 'INVALID_INPUT'
  | 'MISSING_CLINICAL';

/** What is wrong with a recipe, a bundle or an input; `code` is stable, the message says what to do. */
export class ResponseModelError extends Error {
  readonly [MARKER] = true;
  override readonly name = 'ResponseModelError';
  readonly code: ResponseModelErrorCode;

  constructor({ code, message, cause }: { code: ResponseModelErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** True for a ResponseModelError of any copy of this package. */
  static isInstance(error: unknown): error is ResponseModelError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
