import { type Box, type Mask, sameGrid, type Volume, voxelVolumeMm3 } from '@onco-response/volume';
import { LesionMaskError, refuse } from './lesion-mask-error.js';
import { wholeBox } from './mask-part.js';
import type { MaskStep } from './mask-step.js';

export interface FunctionalTumourVolumeOptions {
  /** Least early enhancement in per cent, included. Default 70. */
  readonly minimumPercentEnhancement?: number | undefined;
  /** The signal enhancement ratio has to be above this. Default 0. */
  readonly aboveRatio?: number | undefined;
  /** And not above this. No limit where left out. */
  readonly maximumRatio?: number | undefined;
  /** Only voxels in this box count, as the reader's box of I-SPY2. */
  readonly box?: Box | undefined;
}

export interface FunctionalTumourVolume {
  readonly mask: Mask;
  readonly volumeMm3: number;
  readonly steps: MaskStep[];
}

/**
 * Functional tumour volume of a breast DCE-MRI: the voxels whose early percent enhancement PE = 100 (S1 - S0) / S0 is at
 * least 70 and whose signal enhancement ratio SER = (S1 - S0) / (S2 - S0) is above 0 (Hylton et al. 2012, Radiology
 * 263:663, I-SPY 1). Vessels, skin and the heart enhance too: give the `box` of the lesion, or clean the mask afterwards.
 * @throws LesionMaskError NO_LESION where no voxel qualifies; GRID_MISMATCH; INVALID_ARGUMENT
 * @example
 * const { volumeMm3 } = functionalTumourVolume(percentEnhancement, signalEnhancementRatio); // 41129
 */
export function functionalTumourVolume(
  percentEnhancement: Volume,
  signalEnhancementRatio: Volume,
  {
    minimumPercentEnhancement = 70,
    aboveRatio = 0,
    maximumRatio = Number.POSITIVE_INFINITY,
    box = wholeBox(percentEnhancement),
  }: FunctionalTumourVolumeOptions = {},
): FunctionalTumourVolume {
  requireSameGrid(
    percentEnhancement,
    signalEnhancementRatio,
    'the enhancement ratio',
    'the percent enhancement',
  );
  if (!Number.isFinite(minimumPercentEnhancement) || !(aboveRatio < maximumRatio))
    refuse(
      `limits have to be numbers with aboveRatio < maximumRatio, found ${minimumPercentEnhancement}, ${aboveRatio} and ${maximumRatio}`,
    );
  const { size, spacing, origin, direction } = percentEnhancement;
  const { minimum, maximum } = box;
  if (minimum.some((first, axis) => first < 0 || maximum[axis]! < first || maximum[axis]! >= size[axis]!))
    refuse(`the box [${minimum}] to [${maximum}] does not lie in a volume of ${size.join(' x ')} voxels`);
  const data = new Uint8Array(percentEnhancement.data.length);
  let [enhancing, voxels] = [0, 0];
  for (let z = minimum[2]; z <= maximum[2]; z++) {
    for (let y = minimum[1]; y <= maximum[1]; y++) {
      const row = size[0] * (y + size[1] * z);
      for (let at = row + minimum[0]; at <= row + maximum[0]; at++) {
        if (!(percentEnhancement.data[at]! >= minimumPercentEnhancement)) continue;
        enhancing++;
        const ratio = signalEnhancementRatio.data[at]!;
        if (!(ratio > aboveRatio && ratio <= maximumRatio)) continue;
        data[at] = 1;
        voxels++;
      }
    }
  }
  const inBox = maximum.reduce((product, last, axis) => product * (last - minimum[axis]! + 1), 1);
  const ratioLimits = { aboveRatio, ...(maximumRatio < Infinity && { maximumRatio }) };
  const steps: MaskStep[] = [
    {
      step: 'percentEnhancement',
      parameters: { minimumPercentEnhancement, box: { minimum: [...minimum], maximum: [...maximum] } },
      voxelsBefore: inBox,
      voxelsAfter: enhancing,
    },
    { step: 'signalEnhancementRatio', parameters: ratioLimits, voxelsBefore: enhancing, voxelsAfter: voxels },
  ];
  if (voxels === 0) {
    throw new LesionMaskError({
      code: 'NO_LESION',
      message: `no lesion was found: ${enhancing} voxels enhance by ${minimumPercentEnhancement} % or more, and none of them has a signal enhancement ratio above ${aboveRatio}`,
      steps,
    });
  }
  const mask = { data, size, spacing, origin, direction };
  return { mask, volumeMm3: voxels * voxelVolumeMm3(mask), steps };
}

/**
 * Percent enhancement 100 (after - before) / before, 0 where `before` is below `minimumSignal` (air).
 * @throws LesionMaskError GRID_MISMATCH
 * @example
 * const early = percentEnhancement(phase0, phase1, { minimumSignal: 20 });
 */
export function percentEnhancement(
  before: Volume,
  after: Volume,
  { minimumSignal = 1 }: { minimumSignal?: number } = {},
): Volume<Float32Array> {
  requireSameGrid(before, after, 'the later phase', 'the first');
  const data = Float32Array.from(before.data, (s0, at) =>
    s0 >= minimumSignal && s0 > 0 ? (100 * (after.data[at]! - s0)) / s0 : 0,
  );
  return { ...before, data };
}

/**
 * Signal enhancement ratio (early - before) / (late - before); 0 where nothing enhances late.
 * @throws LesionMaskError GRID_MISMATCH
 * @example
 * const washout = signalEnhancementRatio(phase0, phase1, phase2);
 */
export function signalEnhancementRatio(before: Volume, early: Volume, late: Volume): Volume<Float32Array> {
  requireSameGrid(before, early, 'the early phase', 'the first');
  requireSameGrid(before, late, 'the late phase', 'the first');
  const data = Float32Array.from(before.data, (s0, at) => {
    const gain = late.data[at]! - s0;
    return gain > 0 ? (early.data[at]! - s0) / gain : 0;
  });
  return { ...before, data };
}

/** @throws LesionMaskError GRID_MISMATCH */
export function requireSameGrid(a: Volume, b: Volume, nameB: string, nameA: string): void {
  if (sameGrid(a, b)) return;
  throw new LesionMaskError({
    code: 'GRID_MISMATCH',
    message: `${nameB} (size ${b.size.join(' ')}) lies on another grid than ${nameA} (size ${a.size.join(' ')}): resample it first`,
  });
}
