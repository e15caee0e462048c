export type EncoderErrorCode =
  | 'UNSUPPORTED'
  | 'MALFORMED'
  | 'FILE_MISSING'
  | 'MISSING_KEYS'
  | 'UNEXPECTED_KEYS'
  | 'SHAPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'NO_ADAPTER'
  | 'ADAPTER_ATTACHED'
  | 'ADAPTER_MERGED'
  | 'WEIGHTS_MISMATCH';

const MARKER = Symbol.for('onco-response.EncoderError');

/** What is wrong with an encoder's configuration, weights, adapter or input, and what to do about it. */
export class EncoderError extends Error {
  readonly code: EncoderErrorCode;
  readonly [MARKER] = true;

  constructor({ code, message, cause }: { code: EncoderErrorCode; message: string; cause?: unknown }) {
    super(message, { cause });
    this.name = 'EncoderError';
    this.code = code;
  }

  /** Works across copies of this package, where `instanceof` does not. */
  static isInstance(error: unknown): error is EncoderError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
