const MARKER = Symbol.for('onco-response.InferError');

export type InferErrorCode = 'NO_MASK';

/** What stopped a prediction that no package would have refused; `code` is stable, the message says what to do. */
export class InferError extends Error {
  readonly [MARKER] = true;
  override readonly name = 'InferError';
  readonly code: InferErrorCode;

  constructor({ code, message, cause }: { code: InferErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static isInstance(error: unknown): error is InferError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
