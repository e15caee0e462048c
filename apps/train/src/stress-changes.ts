import { RandomStream } from '@onco-response/engine';
import { connectedComponents, dilate, erode, type Mask, type Volume } from '@onco-response/volume';
import { doubleThickness } from './double-thickness.js';
import { maskOutLesion } from './mask-out-lesion.js';

export interface CaseImages {
  volume: Volume;
  lesion: Mask;
}

/** One way in which the input of a finished model is changed. */
export interface StressChange {
  name: string;
  /** What another input would have looked like; undefined where this case cannot be changed so. */
  apply: (images: CaseImages, random: RandomStream) => CaseImages | undefined;
}

/**
 * What a second reader, scanner or protocol could have given: mm and HU. Noise of both strengths is the same draw, scaled, so
 * that only its strength differs.
 */
export const STRESS_CHANGES: readonly StressChange[] = [
  {
    name: 'mask eroded by 2 mm',
    apply: ({ volume, lesion }) => otherMask(volume, lesion, erode(lesion, fromSurface(lesion, 2))),
  },
  {
    name: 'mask dilated by 2 mm',
    apply: ({ volume, lesion }) => otherMask(volume, lesion, dilate(lesion, fromSurface(lesion, 2))),
  },
  {
    name: 'largest of several lesions missed',
    apply: ({ volume, lesion }) => {
      const { labels, count } = connectedComponents(lesion);
      if (count < 2) return undefined;
      const data = lesion.data.map((value, at) => (labels.data[at] === 1 ? 0 : value));
      return { volume, lesion: { ...lesion, data } };
    },
  },
  {
    name: 'lesion replaced by what lies around it',
    apply: ({ volume, lesion }) => ({ volume: maskOutLesion(volume, lesion), lesion }),
  },
  ...[-20, -10, 10, 20].map(
    (shift): StressChange => ({
      name: `intensity ${shift > 0 ? '+' : '\u2212'}${Math.abs(shift)} HU`,
      apply: ({ volume, lesion }) => ({ volume: mapped(volume, (value) => value + shift), lesion }),
    }),
  ),
  ...[10, 20].map(
    (deviation): StressChange => ({
      name: `noise of ${deviation} HU`,
      apply: ({ volume, lesion }, random) => ({
        volume: mapped(volume, (value) => value + deviation * random.normal()),
        lesion,
      }),
    }),
  ),
  { name: 'slices twice as thick', apply: doubleThickness },
];

/** The randomness of a case: the same for each strength of noise, whichever other changes are made. */
export const caseStream = (seed: number, caseId: string) => new RandomStream(seed, `stress noise ${caseId}`);

/** Undefined where the mask has vanished, or where it is as it was: a voxel much larger than the change. */
function otherMask(volume: Volume, before: Mask, lesion: Mask): CaseImages | undefined {
  const changed = lesion.data.some((value, at) => (value !== 0) !== (before.data[at] !== 0));
  return changed && lesion.data.some((value) => value !== 0) ? { volume, lesion } : undefined;
}

/**
 * `erode` and `dilate` measure between centres of voxels; the surface lies half a voxel further. Without that, 2 mm would change
 * nothing where voxels are 2.5 mm wide.
 */
const fromSurface = ({ spacing }: Mask, mm: number) => mm + Math.min(...spacing) / 2;

function mapped(volume: Volume, change: (value: number) => number): Volume {
  return { ...volume, data: Float32Array.from(volume.data as ArrayLike<number>, change) };
}
