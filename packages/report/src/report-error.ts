const MARKER = Symbol.for('onco-response.ReportError');

/** `INVALID_INPUT`: a field that cannot be printed. `LENGTH_MISMATCH`: models on unequal cases. `IMAGE_SIZE`: pixels that do not fill the stated size. */
export type ReportErrorCode = 'INVALID_INPUT' | 'LENGTH_MISMATCH' | 'IMAGE_SIZE';

/** What this package throws for input it cannot print. Numbers that cannot be computed raise `MetricsError` instead. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
  readonly code: ReportErrorCode;
  readonly [MARKER] = true;

  constructor({ code, message, cause }: { code: ReportErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static isInstance(error: unknown): error is ReportError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
