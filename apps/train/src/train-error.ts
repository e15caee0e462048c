const MARKER = Symbol.for('onco-response.TrainError');

export type TrainErrorCode =
  | 'INVALID_STUDY'
  | 'MISSING_FILE'
  | 'STUDY_CHANGED'
  | 'INCOMPLETE'
  | 'LEAK'
  | 'NO_LESION'
  | 'NO_TRIAL'
  | 'ONE_CLASS'
  | 'ENCODER_MISSING'
  | 'DOWNLOAD_FAILED'
  | 'HASH_MISMATCH'
  | 'INTERRUPTED'
  | 'TRACKING_FAILED'
  | 'DIVERGED';

/** What stopped the training app; `code` is stable, the message says file, finding and remedy. */
export class TrainError extends Error {
  readonly [MARKER] = true;
  override readonly name = 'TrainError';
  readonly code: TrainErrorCode;

  constructor({ code, message, cause }: { code: TrainErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  static isInstance(error: unknown): error is TrainError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
