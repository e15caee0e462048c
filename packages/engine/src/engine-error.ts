const MARKER = Symbol.for('onco-response.EngineError');

export type EngineErrorCode =
  | 'BACKEND_MISSING'
  | 'BACKEND_FAILED'
  | 'BACKEND_RUNNING'
  | 'NO_GPU'
  | 'INVALID_ARGUMENT'
  | 'NOT_FINITE'
  | 'STATE_MISMATCH';

/** What went wrong with the tensor engine; `code` is stable, the message says what to do. */
export class EngineError extends Error {
  readonly [MARKER] = true;
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor({ code, message, cause }: { code: EngineErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** True for an EngineError of any copy of this package. */
  static isInstance(error: unknown): error is EngineError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
