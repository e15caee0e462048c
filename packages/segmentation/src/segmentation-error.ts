const MARKER = Symbol.for('onco-response.SegmentationError');

export type SegmentationErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_PLANS'
  | 'INVALID_DATASET'
  | 'UNSUPPORTED'
  | 'FILE_MISSING'
  | 'WEIGHTS_MISMATCH'
  | 'GEOMETRY_MISMATCH'
  | 'TOO_LARGE'
  | 'DIVERGED';

/** What went wrong while a network was built or an image was segmented; `code` is stable, the message says what to do. */
export class SegmentationError extends Error {
  readonly [MARKER] = true;
  override readonly name = 'SegmentationError';
  readonly code: SegmentationErrorCode;

  constructor({ code, message, cause }: { code: SegmentationErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** True for a SegmentationError of any copy of this package. */
  static isInstance(error: unknown): error is SegmentationError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
