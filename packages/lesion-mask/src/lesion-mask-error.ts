const marker = Symbol.for('onco-response.LesionMaskError');

export type LesionMaskErrorCode = 'EMPTY_MASK' | 'GRID_MISMATCH' | 'INVALID_ARGUMENT';

/**
 * The one error class of this package.
 * @example
 * try { lesionSlices(ct, mask, options); } catch (error) { if (LesionMaskError.isInstance(error)) console.log(error.code); }
 */
export class LesionMaskError extends Error {
  readonly code: LesionMaskErrorCode;
  readonly [marker] = true;

  constructor({ code, message, cause }: { code: LesionMaskErrorCode; message: string; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LesionMaskError';
    this.code = code;
  }

  /** True for a LesionMaskError of any copy of this package. */
  static isInstance(error: unknown): error is LesionMaskError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}
