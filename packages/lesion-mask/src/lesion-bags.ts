import type { Mask, Volume } from '@onco-response/volume';
import { type LesionInstance, lesionInstances } from './lesion-instances.js';
import { refuse } from './lesion-mask-error.js';
import { type LesionSlices, type LesionSlicesOptions, lesionSlices } from './lesion-slices.js';

export interface LesionBagsOptions {
  /**
   * 'joint': one bag, one box around all lesions (lesionSlices as it is); 'together': one bag of every lesion's slices,
   * each lesion in its own box, `slices.count` of each; 'each': a bag a lesion.
   */
  readonly bags: 'joint' | 'together' | 'each';
  /** Only the so many largest lesions. */
  readonly largest?: number | undefined;
  /** See lesionInstances. */
  readonly mergeWithinMm?: number | undefined;
}

export interface LesionBag {
  readonly slices: LesionSlices;
  /** Which lesion each slice shows; 0 for 'joint'. */
  readonly lesionOfSlice: number[];
  readonly lesions: LesionInstance[];
}

/**
 * The bags of slices of a case with one or several lesions.
 * @throws LesionMaskError as lesionSlices and lesionInstances
 * @example
 * const [bag] = lesionBags(ct, mask, options, { bags: 'together', largest: 5 });
 */
export function lesionBags(
  volume: Volume,
  mask: Mask,
  options: LesionSlicesOptions,
  { bags, largest = Number.POSITIVE_INFINITY, mergeWithinMm }: LesionBagsOptions,
): LesionBag[] {
  if (bags !== 'joint' && bags !== 'together' && bags !== 'each')
    refuse(`bags has to be 'joint', 'together' or 'each', found ${JSON.stringify(bags)}`);
  if (!(largest >= 1)) refuse(`largest has to be >= 1, found ${largest}`);
  const found = lesionInstances(mask, mergeWithinMm === undefined ? {} : { mergeWithinMm });
  const lesions = found.instances.slice(0, largest);
  const only = (keep: (label: number) => boolean): Mask => ({
    ...mask,
    data: found.mask.data.map((label, at) => (label !== 0 && keep(label) ? mask.data[at]! : 0)),
  });
  if (bags === 'joint') {
    const slices = lesionSlices(
      volume,
      only((label) => label <= lesions.length),
      options,
    );
    return [{ slices, lesionOfSlice: slices.sliceIndices.map(() => 0), lesions }];
  }
  const each = lesions.map((lesion): LesionBag => {
    const slices = lesionSlices(
      volume,
      only((label) => label === lesion.label),
      options,
    );
    return { slices, lesionOfSlice: slices.sliceIndices.map(() => lesion.label), lesions: [lesion] };
  });
  return bags === 'each' ? each : [together(each)];
}

function together(bags: readonly LesionBag[]): LesionBag {
  const all = bags.map((bag) => bag.slices);
  const join = <T extends Float32Array | Uint8Array>(arrays: readonly T[], into: T): T => {
    let at = 0;
    for (const array of arrays) {
      into.set(array, at);
      at += array.length;
    }
    return into;
  };
  const count = all.reduce((sum, slices) => sum + slices.count, 0);
  const { imageSize } = all[0]!;
  const area = imageSize * imageSize;
  const bytes = (): Uint8Array => new Uint8Array(count * area);
  return {
    slices: {
      pixels: join(
        all.map((slices) => slices.pixels),
        new Float32Array(count * area * 3),
      ),
      count,
      imageSize,
      sliceIndices: all.flatMap((slices) => slices.sliceIndices),
      sliceLocationsMm: all.flatMap((slices) => slices.sliceLocationsMm),
      windowed: join(
        all.map((slices) => slices.windowed),
        bytes(),
      ),
      lesion: join(
        all.map((slices) => slices.lesion),
        bytes(),
      ),
      lesionVolumeMm3: all.reduce((sum, slices) => sum + slices.lesionVolumeMm3, 0),
      warnings: bags.flatMap((bag) =>
        bag.slices.warnings.map((warning) => `lesion ${bag.lesions[0]!.label}: ${warning}`),
      ),
    },
    lesionOfSlice: bags.flatMap((bag) => bag.lesionOfSlice),
    lesions: bags.flatMap((bag) => bag.lesions),
  };
}
