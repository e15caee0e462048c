export type WeightsErrorCode =
  | 'TRUNCATED'
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  | 'DUPLICATE_KEY'
  | 'MISSING_KEYS'
  | 'UNEXPECTED_KEYS'
  | 'SHAPE_MISMATCH'
  | 'CHECKSUM'
  | 'FILE_MISSING'
  /** The pickle asks for something to be called or imported that a checkpoint does not need. Nothing was run. */
  | 'UNSAFE_PICKLE';

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

  /** The same error, with what it is about (a file's name) before its message. */
  static about(what: string, error: unknown): unknown {
    if (!WeightsError.isInstance(error)) return error;
    return new WeightsError({ code: error.code, message: `${what}: ${error.message}`, cause: error });
  }

  /** Works across copies of this package, where `instanceof` does not. */
  static isInstance(error: unknown): error is WeightsError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
