import { boundingBox } from './bounding-box.js';
import { checkNumber, checkVolume } from './check-volume.js';
import { crop } from './crop.js';
import { squaredDistances } from './distance-transform.js';
import { pad } from './pad.js';
import type { Box, Mask, Vec3, Volume } from './types.js';

/** 0.7 + 0.7 + 0.7 is not 2.1 in float64: a distance equal to mm but for rounding counts as equal. */
const ROUNDING_MM = 1e-6;

/**
 * All voxels whose centre lies within `mm` of the centre of a mask voxel (Euclidean, in mm, whatever the spacing).
 * Any non-zero voxel is mask; the result is 0/1, clipped by the image's edge.
 * @throws VolumeError INVALID_ARGUMENT unless mm >= 0
 * @example
 * const withMargin = dilate(lesion, 5);
 */
export function dilate(mask: Volume, mm: number): Mask {
  checkVolume(mask, 'mask');
  checkNumber(mm, 'mm', 0);
  const limit = (mm + ROUNDING_MM) ** 2;
  const margin = mask.spacing.map((s) => Math.ceil(mm / s)) as unknown as Vec3;
  return inBox(mask, margin, (part) => {
    const squared = squaredDistances(part.size, part.spacing, (at) => part.data[at] !== 0);
    return (at) => squared[at]! <= limit;
  });
}

/**
 * The mask voxels whose centre lies more than `mm` from the centre of every background voxel. Beyond the image's edge
 * there is no background. Any non-zero voxel is mask; the result is 0/1.
 * @throws VolumeError INVALID_ARGUMENT unless mm >= 0
 * @example
 * const core = erode(lesion, 2);
 */
export function erode(mask: Volume, mm: number): Mask {
  checkVolume(mask, 'mask');
  checkNumber(mm, 'mm', 0);
  const limit = (mm + ROUNDING_MM) ** 2;
  // the background nearest to a voxel of the box lies in the box or in the layer around it
  return inBox(mask, [1, 1, 1], (part) => {
    const squared = squaredDistances(part.size, part.spacing, (at) => part.data[at] === 0);
    return (at) => part.data[at] !== 0 && squared[at]! > limit;
  });
}

/**
 * The shell around a mask: `dilate` without the mask itself.
 * @example
 * const peritumoural = ring(lesion, 5);
 */
export function ring(mask: Volume, mm: number): Mask {
  const dilated = dilate(mask, mm);
  for (let at = 0; at < dilated.data.length; at++) if (mask.data[at] !== 0) dilated.data[at] = 0;
  return dilated;
}

/**
 * `dilate`, then `erode` by the same distance: gaps and notches narrower than about twice `mm` are closed, the rest of
 * the outline stays. Beyond the image's edge lies background. Any non-zero voxel is mask; the result is 0/1.
 * @throws VolumeError INVALID_ARGUMENT unless mm >= 0
 * @example
 * const withoutNotches = closing(lesion, 2);
 */
export function closing(mask: Volume, mm: number): Mask {
  checkVolume(mask, 'mask');
  checkNumber(mm, 'mm', 0);
  // room for the dilation and a layer of background around it: the closing itself stays in the mask's own box
  const room = mask.spacing.map((s) => Math.ceil(mm / s) + 1) as unknown as Vec3;
  return inBox(mask, [0, 0, 0], (part) => {
    const closed = erode(dilate(pad(part, { before: room }), mm), mm);
    const [width, height] = closed.size;
    return (at) => {
      const x = at % part.size[0];
      const y = Math.floor(at / part.size[0]) % part.size[1];
      const z = Math.floor(at / (part.size[0] * part.size[1]));
      return closed.data[x + room[0] + width * (y + room[1] + height * (z + room[2]))] !== 0;
    };
  });
}

/**
 * `erode`, then `dilate` by the same distance: parts thinner than about twice `mm`, such as a vessel that runs into a
 * lesion, go; the rest of the outline stays. Any non-zero voxel is mask; the result is 0/1.
 * @throws VolumeError INVALID_ARGUMENT unless mm >= 0
 * @example
 * const withoutVessels = opening(lesion, 1.5);
 */
export function opening(mask: Volume, mm: number): Mask {
  return dilate(erode(mask, mm), mm);
}

/** Works on the mask's bounding box plus a margin only: a lesion is a small part of a CT. */
function inBox(mask: Volume, margin: Vec3, decide: (part: Volume) => (at: number) => boolean): Mask {
  const { size, spacing, origin, direction } = mask;
  const data = new Uint8Array(mask.data.length);
  const result = { data, size, spacing, origin, direction };
  const tight = boundingBox(mask);
  if (tight === null) return result;
  const box: Box = {
    minimum: tight.minimum.map((first, axis) => Math.max(0, first - margin[axis]!)) as unknown as Vec3,
    maximum: tight.maximum.map((last, axis) =>
      Math.min(size[axis]! - 1, last + margin[axis]!),
    ) as unknown as Vec3,
  };
  const part = crop(mask, box);
  const isInside = decide(part);
  const [width, height, depth] = part.size;
  for (let z = 0, at = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const to = box.minimum[0] + size[0] * (box.minimum[1] + y + size[1] * (box.minimum[2] + z));
      for (let x = 0; x < width; x++, at++) if (isInside(at)) data[to + x] = 1;
    }
  }
  return result;
}
