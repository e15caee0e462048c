import type { MaskStep } from './mask-step.js';

const marker = Symbol.for('onco-response.LesionMaskError');

/**
 * EMPTY_MASK: a given mask has no lesion. NO_LESION: a mask was to be derived, and no lesion was found; that is an
 * outcome of the case to report as such, not a fault of a file.
 */
export type LesionMaskErrorCode = 'EMPTY_MASK' | 'NO_LESION' | 'GRID_MISMATCH' | 'INVALID_ARGUMENT';

/**
 * The one error class of this package.
 * @example
 * try { lesionSlices(ct, mask, options); } catch (error) { if (LesionMaskError.isInstance(error)) console.log(error.code); }
 */
export class LesionMaskError extends Error {
  readonly code: LesionMaskErrorCode;
  /** What was done before it was clear that there is no lesion. */
  readonly steps: readonly MaskStep[];
  readonly [marker] = true;

  constructor({
    code,
    message,
    cause,
    steps = [],
  }: { code: LesionMaskErrorCode; message: string; cause?: unknown; steps?: readonly MaskStep[] }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LesionMaskError';
    this.code = code;
    this.steps = steps;
  }

  /** True for a LesionMaskError of any copy of this package. */
  static isInstance(error: unknown): error is LesionMaskError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}

/** Refuses an argument. */
export function refuse(message: string): never {
  throw new LesionMaskError({ code: 'INVALID_ARGUMENT', message });
}
