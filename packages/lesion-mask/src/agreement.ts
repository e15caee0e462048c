import { dice, surfaceDistances } from '@onco-response/metrics';
import { type Box, boundingBox, crop, type Mask, type Vec3, volumeMm3 } from '@onco-response/volume';
import { requireSameGrid } from './functional-tumour-volume.js';

export interface Agreement {
  /** null where both masks are empty: 0/0. */
  readonly dice: number | null;
  /** The larger of the two directed 95th percentiles of surface distance, mm; null where either mask is empty. */
  readonly hausdorff95Mm: number | null;
  /** Mean over both surfaces, mm; null where either mask is empty. */
  readonly averageSurfaceMm: number | null;
  readonly volumeMm3: number;
  readonly referenceVolumeMm3: number;
  /** Volume minus the reference's. */
  readonly volumeErrorMm3: number;
  /** As a share of the reference's volume; null where that is empty. */
  readonly relativeVolumeError: number | null;
}

/**
 * How well a mask agrees with a reference, any label counting as lesion: Dice, HD95, mean surface distance (as metrics'
 * `dice` and `surfaceDistances`, which are MONAI's definitions) and the volume's error. Empty masks are no error: what
 * has no value is null, and one empty mask of two has Dice 0.
 * @throws LesionMaskError GRID_MISMATCH
 * @example
 * agreement(predicted, drawn).dice; // 0.87
 */
export function agreement(mask: Mask, reference: Mask): Agreement {
  requireSameGrid(reference, mask, 'the mask', 'the reference');
  const [box, referenceBox] = [boundingBox(mask), boundingBox(reference)];
  const joint = box && referenceBox ? jointBox(box, referenceBox, mask.size) : (box ?? referenceBox);
  const [own, other] = joint === null ? [mask, reference] : [crop(mask, joint), crop(reference, joint)];
  const [volume, referenceVolume] = [volumeMm3(own), volumeMm3(other)];
  const distances =
    box && referenceBox
      ? surfaceDistances(own.data, other.data, { size: own.size, spacing: own.spacing })
      : null;
  return {
    dice: joint === null ? null : dice(own.data, other.data),
    hausdorff95Mm: distances?.hausdorff95 ?? null,
    averageSurfaceMm: distances?.averageSymmetric ?? null,
    volumeMm3: volume,
    referenceVolumeMm3: referenceVolume,
    volumeErrorMm3: volume - referenceVolume,
    relativeVolumeError: referenceVolume > 0 ? (volume - referenceVolume) / referenceVolume : null,
  };
}

/**
 * The box of both masks and one voxel more, within the grid: an axis along which they are one voxel thick stays an axis
 * to surfaceDistances, as it is in the whole grid.
 */
function jointBox(a: Box, b: Box, size: Vec3): Box {
  return {
    minimum: a.minimum.map((v, axis) => Math.max(0, Math.min(v, b.minimum[axis]!) - 1)) as unknown as Vec3,
    maximum: a.maximum.map((v, axis) =>
      Math.min(size[axis]! - 1, Math.max(v, b.maximum[axis]!) + 1),
    ) as unknown as Vec3,
  };
}
