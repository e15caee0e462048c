import { boundingBox, connectedComponents, crop, type Mask, type Volume } from '@onco-response/volume';
import { requireSameGrid } from './functional-tumour-volume.js';

export type MaskFlagCode =
  | 'EMPTY'
  | 'TINY'
  | 'FRAGMENTED'
  | 'TOUCHES_BORDER'
  | 'IMPLAUSIBLE_VOLUME'
  | 'LOW_CONFIDENCE';

export interface MaskFlag {
  readonly code: MaskFlagCode;
  readonly message: string;
}

export interface MaskQualityOptions {
  /** The network's probability of lesion at each voxel, on the mask's grid. */
  readonly probability?: Volume | undefined;
  /** TINY below this, mm3. Default 30: a ball of 4 mm. */
  readonly tinyMm3?: number | undefined;
  /** FRAGMENTED where the largest component has less than this share of the volume. Default 0.5. */
  readonly largestShare?: number | undefined;
  /** IMPLAUSIBLE_VOLUME above this, mm3. Default 4e6: a ball of 20 cm. */
  readonly largestMm3?: number | undefined;
  /** LOW_CONFIDENCE where the mean probability inside is below this. Default 0.7. */
  readonly confidence?: number | undefined;
}

export interface MaskQuality {
  readonly flags: MaskFlag[];
  readonly volumeMm3: number;
  readonly components: number;
  /** Share of the volume in the largest component; 0 for an empty mask. */
  readonly largestShare: number;
  /** Mean probability inside; null without probabilities, or for an empty mask. */
  readonly confidence: number | null;
}

/**
 * What a person should look at before a mask is used. Never throws for a bad mask: it says what is bad. The limits are
 * defaults for solid tumours in CT, not findings of a study.
 * @throws LesionMaskError GRID_MISMATCH
 * @example
 * maskQuality(mask, { probability }).flags.map((flag) => flag.code); // ['FRAGMENTED', 'TOUCHES_BORDER']
 */
export function maskQuality(
  mask: Mask,
  {
    probability,
    tinyMm3 = 30,
    largestShare: leastShare = 0.5,
    largestMm3 = 4e6,
    confidence: leastConfidence = 0.7,
  }: MaskQualityOptions = {},
): MaskQuality {
  if (probability) requireSameGrid(mask, probability, 'the probability', 'the mask');
  const box = boundingBox(mask);
  if (box === null) {
    const flags: MaskFlag[] = [{ code: 'EMPTY', message: 'the mask has no lesion voxel' }];
    return { flags, volumeMm3: 0, components: 0, largestShare: 0, confidence: null };
  }
  const flags: MaskFlag[] = [];
  const flag = (code: MaskFlagCode, message: string): void => {
    flags.push({ code, message });
  };
  const part = crop(mask, box);
  const { components, count } = connectedComponents(part);
  const volumeMm3 = components.reduce((sum, each) => sum + each.volumeMm3, 0);
  const largestShare = components[0]!.volumeMm3 / volumeMm3;
  if (volumeMm3 < tinyMm3) flag('TINY', `the lesion has ${volumeMm3.toFixed(1)} mm3, less than ${tinyMm3}`);
  if (largestShare < leastShare) {
    const share = (100 * largestShare).toFixed(0);
    flag('FRAGMENTED', `the largest of ${count} components has ${share} % of the volume`);
  }
  const borders = [0, 1, 2].flatMap((axis) => {
    if (mask.size[axis] === 1) return []; // a single plane is all border
    const at = 'xyz'[axis]!;
    return [
      ...(box.minimum[axis] === 0 ? [`first ${at}`] : []),
      ...(box.maximum[axis] === mask.size[axis]! - 1 ? [`last ${at}`] : []),
    ];
  });
  if (borders.length > 0)
    flag(
      'TOUCHES_BORDER',
      `the lesion touches the edge of the volume (${borders.join(', ')}): it may be cut off`,
    );
  if (volumeMm3 > largestMm3) {
    const ml = (mm3: number): string => (mm3 / 1000).toFixed(0);
    flag('IMPLAUSIBLE_VOLUME', `the lesion has ${ml(volumeMm3)} ml, more than ${ml(largestMm3)} ml`);
  }
  let confidence: number | null = null;
  if (probability) {
    const inside = crop(probability, box).data;
    let [sum, voxels] = [0, 0];
    for (let at = 0; at < inside.length; at++) {
      if (part.data[at] === 0) continue;
      sum += inside[at]!;
      voxels++;
    }
    confidence = sum / voxels;
    if (!(confidence >= leastConfidence))
      flag(
        'LOW_CONFIDENCE',
        `the mean probability inside is ${confidence.toFixed(2)}, less than ${leastConfidence}`,
      );
  }
  return { flags, volumeMm3, components: count, largestShare, confidence };
}
