import type { Vec3 } from '@onco-response/volume';
import { CohortError } from '../cohort-error.js';

/** Options of a synthetic case. All of them are written beside the cohort. */
export interface PhantomOptions {
  /** Voxels [x, y, z]. Default [128, 128, 40]. */
  size?: Vec3;
  /** mm [x, y, z]. Default [2.5, 2.5, 5]. */
  spacing?: Vec3;
  /** Slope of the planted signal: label ~ Bernoulli(sigmoid(intercept + strength * latent)). Default 4. */
  strength?: number;
  /** Shifts how many cases are positive; 0 is half of them. Default 0. */
  intercept?: number;
  /**
   * 0 to 1: lesion volume falls as the latent rises, so that a reader of volume is led the other way: the correlation of
   * log size and latent is minus this. Default 0, volume knows nothing of the label.
   */
  confoundVolume?: number;
}

/** The smallest field of view, in mm, that the synthetic abdomen fits into. */
const smallestField: Vec3 = [300, 260, 150];

/** Options with every default filled in. */
export function completeOptions({
  size = [128, 128, 40],
  spacing = [2.5, 2.5, 5],
  strength = 4,
  intercept = 0,
  confoundVolume = 0,
}: PhantomOptions): Required<PhantomOptions> {
  const wrong = (message: string) => new CohortError({ code: 'OPTIONS', message });
  if (!size.every((side) => Number.isInteger(side) && side > 0)) {
    throw wrong(`size is [${size}]; expected three positive whole numbers.`);
  }
  const field = size.map((side, axis) => side * spacing[axis]!);
  if (!field.every((length, axis) => length >= smallestField[axis]!)) {
    throw wrong(
      `The field of view is ${field.join(' x ')} mm; expected at least ${smallestField.join(' x ')} mm.`,
    );
  }
  if (!Number.isFinite(strength) || !Number.isFinite(intercept)) {
    throw wrong(`strength ${strength} and intercept ${intercept} have to be numbers.`);
  }
  if (!(confoundVolume >= 0 && confoundVolume <= 1)) {
    throw wrong(`confoundVolume is ${confoundVolume}; expected a number from 0 to 1.`);
  }
  return { size, spacing, strength, intercept, confoundVolume };
}
