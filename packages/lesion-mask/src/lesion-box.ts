import { type Box, boundingBox, type Mask } from '@onco-response/volume';
import { LesionMaskError } from './lesion-mask-error.js';

/** A square in the x-y plane; it may run past the volume's edge. */
export interface LesionBox {
  /** Its centre as a fractional voxel index. */
  readonly centre: readonly [number, number];
  /** Length of its sides in mm. */
  readonly sideMm: number;
  /** The tight box of the lesion itself, in voxels. */
  readonly lesion: Box;
}

/**
 * The square box around all lesion voxels, over all slices, plus `marginMm` on each side. Square in mm, so that
 * resizing keeps shapes; one box for all slices, so that slices stay comparable.
 * @throws LesionMaskError EMPTY_MASK, INVALID_ARGUMENT
 * @example
 * lesionBox(mask, { marginMm: 10 }).sideMm; // 48
 */
export function lesionBox(mask: Mask, { marginMm = 0 }: { marginMm?: number } = {}): LesionBox {
  if (!(Number.isFinite(marginMm) && marginMm >= 0)) {
    throw new LesionMaskError({
      code: 'INVALID_ARGUMENT',
      message: `marginMm has to be >= 0, found ${marginMm}`,
    });
  }
  const lesion = boundingBox(mask);
  if (lesion === null)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  const { minimum, maximum } = lesion;
  const sides = [0, 1].map((axis) => (maximum[axis]! - minimum[axis]! + 1) * mask.spacing[axis]!);
  return {
    centre: [(minimum[0] + maximum[0]) / 2, (minimum[1] + maximum[1]) / 2],
    sideMm: Math.max(...sides) + 2 * marginMm,
    lesion,
  };
}
