const marker = Symbol.for('onco-response.ImagingError');

export type ImagingErrorCode =
  | 'NOT_FOUND'
  | 'NOT_READABLE'
  | 'NOT_WRITABLE'
  | 'UNSUPPORTED'
  | 'TRUNCATED'
  | 'CORRUPT'
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'NAN_VOXELS'
  | 'INVALID_VOLUME'
  | 'INVALID_MASK'
  | 'EMPTY_MASK'
  | 'OVERLAPPING_SEGMENTS'
  | 'GRID_MISMATCH'
  | 'MISSING_ATTRIBUTE'
  | 'MISSING_SLICES'
  | 'DUPLICATE_SLICES'
  | 'MIXED_ORIENTATION'
  | 'GANTRY_TILT'
  | 'SEVERAL_SERIES'
  | 'UNEVEN_PHASES';

/**
 * The one error class of this package. Messages name the file given, never a patient; Node's and itk-wasm's own
 * errors are not passed on, since their codes and texts differ between versions.
 * @example
 * try { await readVolume(path); } catch (error) { if (ImagingError.isInstance(error)) console.log(error.code); }
 */
export class ImagingError extends Error {
  readonly code: ImagingErrorCode;
  readonly [marker] = true;

  constructor({ code, message }: { code: ImagingErrorCode; message: string }) {
    super(message);
    this.name = 'ImagingError';
    this.code = code;
  }

  /** True for an ImagingError of any copy of this package. */
  static isInstance(error: unknown): error is ImagingError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
