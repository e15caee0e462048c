import { LesionMaskError } from './lesion-mask-error.js';

/**
 * Runs `work` and says in its LesionMaskErrors which mask they are about: this package sees voxels, its callers know files.
 *
 * @example
 * const slices = nameMask('case/mask.nii.gz', () => lesionSlices(volume, mask, options));
 */
export async function nameMask<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!LesionMaskError.isInstance(cause)) throw cause;
    throw new LesionMaskError({
      code: cause.code,
      message: `${path}: ${cause.message}`,
      cause,
      steps: cause.steps,
    });
  }
}
