import {
  type Box,
  boundingBox,
  connectedComponents,
  crop,
  dilate,
  indexToPhysical,
  type Mask,
  pad,
  type Vec3,
  voxelVolumeMm3,
} from '@onco-response/volume';
import { LesionMaskError, refuse } from './lesion-mask-error.js';
import { placeMask } from './mask-part.js';

export interface LesionInstance {
  /** Its value in the mask of instances: 1 is the largest lesion. */
  readonly label: number;
  /** The given mask's labels in it, rising. */
  readonly sourceLabels: number[];
  readonly voxels: number;
  readonly volumeMm3: number;
  readonly box: Box;
  /** Centre of its voxels, mm. */
  readonly centreMm: Vec3;
}

const MAX_INSTANCES = 255;

/**
 * One label a lesion: the mask's connected components (26), largest first. Components with a gap of less than
 * `mergeWithinMm` between them (as one dilation by half of it joins them) count as one lesion.
 * @throws LesionMaskError EMPTY_MASK; INVALID_ARGUMENT, also for more than 255 lesions: clean the mask first
 * @example
 * const { mask, instances } = lesionInstances(lesions, { mergeWithinMm: 5 });
 */
export function lesionInstances(
  lesions: Mask,
  { mergeWithinMm = 0 }: { mergeWithinMm?: number } = {},
): { mask: Mask; instances: LesionInstance[] } {
  if (!(Number.isFinite(mergeWithinMm) && mergeWithinMm >= 0))
    refuse(`mergeWithinMm has to be >= 0, found ${mergeWithinMm}`);
  const box = boundingBox(lesions);
  if (box === null)
    throw new LesionMaskError({ code: 'EMPTY_MASK', message: 'the mask has no lesion voxel' });
  const part = crop(lesions, box);
  const room = part.spacing.map((s) => Math.ceil(mergeWithinMm / 2 / s)) as unknown as Vec3;
  const wide = pad(part, { before: room });
  const groups = connectedComponents(mergeWithinMm > 0 ? dilate(wide, mergeWithinMm / 2) : wide).labels;
  const [width, height, depth] = part.size;
  const voxelsOf = new Map<number, number[]>();
  for (let z = 0, at = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row = room[0] + groups.size[0] * (y + room[1] + groups.size[1] * (z + room[2]));
      for (let x = 0; x < width; x++, at++) {
        if (part.data[at] === 0) continue;
        const group = groups.data[row + x]!;
        const known = voxelsOf.get(group);
        if (known) known.push(at);
        else voxelsOf.set(group, [at]);
      }
    }
  }
  const sorted = [...voxelsOf.values()].sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  if (sorted.length > MAX_INSTANCES)
    refuse(
      `the mask has ${sorted.length} lesions, more than ${MAX_INSTANCES}: drop small ones with cleanMask first`,
    );
  const data = new Uint8Array(part.data.length);
  const instances = sorted.map((voxels, rank): LesionInstance => {
    const minimum: [number, number, number] = [Infinity, Infinity, Infinity];
    const maximum: [number, number, number] = [0, 0, 0];
    const sum = [0, 0, 0];
    for (const at of voxels) {
      data[at] = rank + 1;
      const place = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
      place.forEach((v, axis) => {
        const index = v + box.minimum[axis]!;
        minimum[axis] = Math.min(minimum[axis]!, index);
        maximum[axis] = Math.max(maximum[axis]!, index);
        sum[axis] = sum[axis]! + index;
      });
    }
    return {
      label: rank + 1,
      sourceLabels: [...new Set(voxels.map((at) => part.data[at]!))].sort((a, b) => a - b),
      voxels: voxels.length,
      volumeMm3: voxels.length * voxelVolumeMm3(lesions),
      box: { minimum, maximum },
      centreMm: indexToPhysical(lesions, sum.map((v) => v / voxels.length) as unknown as Vec3),
    };
  });
  return { mask: placeMask({ ...part, data }, box.minimum, lesions), instances };
}
