import type { RandomStream } from '@onco-response/engine';
import type { Shape3 } from './array-shape.js';

/** Steps in the image for steps in the patch, about its middle: row-major 3 x 3 along [z, y, x]. */
export interface PatchTransform {
  readonly matrix: readonly [number, number, number, number, number, number, number, number, number];
}

const PROBABILITY = 0.2; // of turning, and of scaling: nnU-Net's
const SCALES = [0.7, 1.4] as const;
/** Patches with a side more than 3 times the first are turned in their planes only, and there all the way round. */
const ANISOTROPY_THRESHOLD = 3;

/**
 * A random rotation (each axis within 30 degrees; within the plane by any angle where the patch is flat) and scaling, as
 * often and as strongly as nnU-Net's; undefined where the draw is to leave the patch as it is.
 */
export function drawTransform(patch: Shape3, random: RandomStream): PatchTransform | undefined {
  const turns = random.uniform() < PROBABILITY;
  const scales = random.uniform() < PROBABILITY;
  if (!turns && !scales) return undefined;
  const isFlat = Math.max(...patch) / patch[0] > ANISOTROPY_THRESHOLD;
  const angle = (degrees: number): number => (random.uniform() * 2 - 1) * degrees * (Math.PI / 180);
  const [aboutZ, aboutY, aboutX] = turns
    ? isFlat
      ? [angle(180), 0, 0]
      : [angle(30), angle(30), angle(30)]
    : [0, 0, 0];
  const scale = scales ? between(random, SCALES[0], SCALES[1]) : 1;
  const [inPlane, depth] = [scale, isFlat ? 1 : scale];
  const [cz, sz, cy, sy, cx, sx] = [aboutZ, aboutY, aboutX].flatMap((by) => [Math.cos(by), Math.sin(by)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // rows z, y, x of (about z) x (about y) x (about x)
  const matrix = [
    cy * cx * depth,
    -cy * sx * inPlane,
    sy * inPlane,
    (cz * sx + sz * sy * cx) * depth,
    (cz * cx - sz * sy * sx) * inPlane,
    -sz * cy * inPlane,
    (sz * sx - cz * sy * cx) * depth,
    (sz * cx + cz * sy * sx) * inPlane,
    cz * cy * inPlane,
  ] as const;
  return { matrix };
}

/** Half of the draws below 1 and half above, as batchgenerators' BGContrast. */
export function around1(random: RandomStream, low: number, high: number): number {
  return random.uniform() < 0.5 ? between(random, low, 1) : between(random, 1, high);
}

export const between = (random: RandomStream, low: number, high: number): number =>
  low + random.uniform() * (high - low);
