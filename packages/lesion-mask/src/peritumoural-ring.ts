import { boundingBox, crop, type Mask, ring, type Volume } from '@onco-response/volume';
import { requireSameGrid } from './functional-tumour-volume.js';
import { geodesicDistance } from './geodesic-distance.js';
import { LesionMaskError, refuse } from './lesion-mask-error.js';
import { placeMask, widenBox } from './mask-part.js';
import { countVoxels, type MaskStep } from './mask-step.js';

export interface PeritumouralRingOptions {
  /** How far the ring reaches from the lesion, mm. */
  readonly mm: number;
  /**
   * HU that a voxel of the ring may have: -200 to 250 where left out, so that it stops at air, lung and bone. For a
   * lesion in lung give a lower minimum.
   */
  readonly limits?: { readonly minimum: number; readonly maximum: number } | undefined;
}

export interface PeritumouralRing {
  /** 1 in the ring. It may be empty, with a warning. */
  readonly mask: Mask;
  readonly steps: MaskStep[];
  readonly warnings: string[];
}

/**
 * The tissue around a lesion: voxels within `mm` of it whose HU lie within the limits and that hang together with the
 * lesion over faces through such voxels, so that the ring doesn't reappear behind a bone or an air gap.
 * @throws LesionMaskError EMPTY_MASK, GRID_MISMATCH, INVALID_ARGUMENT
 * @example
 * const { mask: tissue } = peritumouralRing(ct, lesion, { mm: 5 });
 */
export function peritumouralRing(
  volume: Volume,
  lesion: Mask,
  { mm, limits: { minimum, maximum } = { minimum: -200, maximum: 250 } }: PeritumouralRingOptions,
): PeritumouralRing {
  requireSameGrid(volume, lesion, 'the mask', 'the volume');
  if (!(Number.isFinite(mm) && mm > 0)) refuse(`mm has to be > 0, found ${mm}`);
  if (!(minimum <= maximum)) refuse(`limits have to be minimum <= maximum, found ${minimum} and ${maximum}`);
  const tight = boundingBox(lesion);
  if (tight === null)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  const box = widenBox(tight, volume, [mm, mm, mm]);
  const part = crop(lesion, box);
  const values = crop(volume, box).data;
  const shell = ring(part, mm).data;
  const tissue = shell.map((v, at) => (v !== 0 && values[at]! >= minimum && values[at]! <= maximum ? 1 : 0));
  // lesion voxels are the seeds, and count as passable
  const passable = tissue.map((v, at) => (v !== 0 || part.data[at] !== 0 ? 1 : 0));
  const seeds = [...part.data.keys()].filter((at) => part.data[at] !== 0);
  const distance = geodesicDistance(passable, part.size, part.spacing, seeds);
  const joined = tissue.map((v, at) => (v !== 0 && distance[at]! < Infinity ? 1 : 0));
  const counts = [
    countVoxels(part.data),
    countVoxels(shell),
    countVoxels(tissue),
    countVoxels(joined),
  ] as const;
  const limits = { minimum, maximum };
  return {
    mask: placeMask({ ...part, data: joined }, box.minimum, volume),
    steps: [
      { step: 'ring', parameters: { mm }, voxelsBefore: counts[0], voxelsAfter: counts[1] },
      { step: 'limits', parameters: limits, voxelsBefore: counts[1], voxelsAfter: counts[2] },
      { step: 'joinedToLesion', parameters: {}, voxelsBefore: counts[2], voxelsAfter: counts[3] },
    ],
    warnings:
      counts[3] === 0 ? [`no voxel within ${mm} mm of the lesion has ${minimum} to ${maximum} HU`] : [],
  };
}
