const marker = Symbol.for('onco-response.VolumeError');

export type VolumeErrorCode =
  | 'INVALID_VOLUME'
  | 'INVALID_ARGUMENT'
  | 'GRID_MISMATCH'
  | 'OUT_OF_BOUNDS'
  | 'TOO_LARGE'
  | 'WORKER_FAILED';

/**
 * The one error class of this package.
 * @example
 * try { crop(volume, box); } catch (error) { if (VolumeError.isInstance(error)) console.log(error.code); }
 */
export class VolumeError extends Error {
  readonly code: VolumeErrorCode;
  readonly [marker] = true;

  constructor({ code, message, cause }: { code: VolumeErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'VolumeError';
    this.code = code;
  }

  /** True for a VolumeError of any copy of this package. */
  static isInstance(error: unknown): error is VolumeError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
