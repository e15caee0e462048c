import { checkSameLength, type Values } from './check-input.js';
import { type DistanceGrid, squaredDistances } from './distance-map.js';
import { MetricsError } from './metrics-error.js';
import { quantile } from './quantile.js';

export interface SurfaceDistances {
  /** the largest distance from either surface to the other, mm */
  hausdorff: number;
  /** the larger of the two directed 95th percentiles, mm */
  hausdorff95: number;
  /** mean over both surfaces' voxels together, mm (ASSD) */
  averageSymmetric: number;
  /** mean over the voxels of A's surface, mm */
  averageAToB: number;
  averageBToA: number;
  /** share of both surfaces' voxels that lie within `toleranceMm` of the other */
  surfaceDice: number;
}

/**
 * Dice: 2 |A and B| / (|A| + |B|). Any value but 0 is inside. 0 when one mask is empty.
 *
 * @throws MetricsError `LENGTH_MISMATCH`; `EMPTY` when both masks are empty (0/0) or have no voxel
 * @see Dice 1945; MONAI `DiceMetric`
 * @example
 * dice([1, 1, 0, 0], [1, 0, 0, 0]) // 0.667
 */
export function dice(maskA: Values, maskB: Values): number {
  checkSameLength(maskA, maskB, 'maskA', 'maskB');
  let both = 0;
  let sum = 0;
  for (let i = 0; i < maskA.length; i++) {
    const [a, b] = [maskA[i] !== 0, maskB[i] !== 0];
    if (a && b) both++;
    sum += (a ? 1 : 0) + (b ? 1 : 0);
  }
  if (sum === 0) {
    throw new MetricsError({
      code: 'EMPTY',
      message: 'Both masks are empty, so their Dice is 0/0. Count such cases by themselves.',
    });
  }
  return (2 * both) / sum;
}

/**
 * Distances between the surfaces of two masks. A surface voxel is inside and has a face neighbour outside, or lies on the
 * border of the grid (an axis of size 1 is no axis, so a single slice is measured in its plane); distances are between voxel
 * centres, with the spacing. This is MONAI's and medpy's definition; DeepMind's surface-distance weighs by surface area and
 * gives slightly other numbers. The 95th percentile is linear between order statistics; medpy pools both directions first.
 *
 * @param maskA voxel (i, j, k) at i + nx (j + ny k); any value but 0 is inside
 * @param options.size [nx, ny, nz]
 * @param options.spacing mm along x, y, z
 * @param options.toleranceMm for `surfaceDice`; 1 unless given
 * @throws MetricsError `LENGTH_MISMATCH`; `INVALID_OPTION` for a size, spacing or tolerance that makes no sense; `EMPTY` when
 *   either mask is empty (its distance has no value)
 * @see MONAI `compute_hausdorff_distance(percentile=95)`, `compute_average_surface_distance`, `compute_surface_dice`
 * @example
 * surfaceDistances(maskA, maskB, { size: [512, 512, 80], spacing: [0.7, 0.7, 2.5] }).hausdorff95
 */
export function surfaceDistances(
  maskA: Values,
  maskB: Values,
  { size, spacing, toleranceMm = 1 }: DistanceGrid & { toleranceMm?: number },
): SurfaceDistances {
  checkSameLength(maskA, maskB, 'maskA', 'maskB');
  checkGrid(maskA.length, { size, spacing }, toleranceMm);
  const box = jointBox(maskA, maskB, size);
  const grid = { size: box.size, spacing };
  const [surfaceA, surfaceB] = [
    surface(crop(maskA, size, box), box, size),
    surface(crop(maskB, size, box), box, size),
  ];
  const aToB = distancesFrom(surfaceA, surfaceB, grid);
  const bToA = distancesFrom(surfaceB, surfaceA, grid);
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const within = (values: Float64Array) => values.filter((value) => value <= toleranceMm).length;
  const voxels = aToB.length + bToA.length;
  return {
    hausdorff: Math.max(aToB[aToB.length - 1]!, bToA[bToA.length - 1]!),
    hausdorff95: Math.max(quantile(aToB, 0.95), quantile(bToA, 0.95)),
    averageSymmetric: (total(aToB) + total(bToA)) / voxels,
    averageAToB: total(aToB) / aToB.length,
    averageBToA: total(bToA) / bToA.length,
    surfaceDice: (within(aToB) + within(bToA)) / voxels,
  };
}

function checkGrid(voxels: number, { size, spacing }: DistanceGrid, toleranceMm: number): void {
  const sized = size?.length === 3 && size.every((n) => Number.isInteger(n) && n > 0);
  const spaced = spacing?.length === 3 && spacing.every((mm) => Number.isFinite(mm) && mm > 0);
  if (!sized || !spaced || !(toleranceMm >= 0)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `size is [${size}], spacing [${spacing}] and toleranceMm ${toleranceMm}: give three whole numbers, three lengths above 0 and a tolerance of at least 0.`,
    });
  }
  if (size[0] * size[1] * size[2] !== voxels) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `The masks have ${voxels} voxels and the size [${size}] has ${size[0] * size[1] * size[2]}.`,
    });
  }
}

interface Box {
  from: [number, number, number];
  size: [number, number, number];
}

/** The smallest box that holds both masks: nearest surface voxels are never outside it. */
function jointBox(maskA: Values, maskB: Values, [nx, ny]: DistanceGrid['size']): Box {
  const from: [number, number, number] = [Infinity, Infinity, Infinity];
  const to: [number, number, number] = [-1, -1, -1];
  let [anyA, anyB] = [false, false];
  for (let index = 0; index < maskA.length; index++) {
    if (maskA[index] === 0 && maskB[index] === 0) continue;
    anyA ||= maskA[index] !== 0;
    anyB ||= maskB[index] !== 0;
    const place = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))];
    for (let axis = 0; axis < 3; axis++) {
      from[axis] = Math.min(from[axis]!, place[axis]!);
      to[axis] = Math.max(to[axis]!, place[axis]!);
    }
  }
  if (!anyA || !anyB) {
    throw new MetricsError({
      code: 'EMPTY',
      message: `${anyA ? 'maskB' : anyB ? 'maskA' : 'Each mask'} is empty, so it has no surface. Report Dice 0 for the case and count it.`,
    });
  }
  return { from, size: [to[0] - from[0] + 1, to[1] - from[1] + 1, to[2] - from[2] + 1] };
}

function crop(mask: Values, [nx, ny]: DistanceGrid['size'], { from, size }: Box): Uint8Array {
  const out = new Uint8Array(size[0] * size[1] * size[2]);
  let index = 0;
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      const row = from[0] + nx * (from[1] + j + ny * (from[2] + k));
      for (let i = 0; i < size[0]; i++) out[index++] = mask[row + i] === 0 ? 0 : 1;
    }
  }
  return out;
}

/** Inside voxels with a face neighbour outside; whatever is beyond the box or the grid is outside. */
function surface(inside: Uint8Array, { size }: Box, whole: DistanceGrid['size']): Uint8Array {
  const strides = [1, size[0], size[0] * size[1]];
  return inside.map((value, index) => {
    if (value === 0) return 0;
    for (let axis = 0; axis < 3; axis++) {
      if (whole[axis] === 1) continue;
      const stride = strides[axis]!;
      const place = Math.floor(index / stride) % size[axis]!;
      if (place === 0 || place === size[axis]! - 1) return 1;
      if (inside[index - stride] === 0 || inside[index + stride] === 0) return 1;
    }
    return 0;
  });
}

/** Rising distances from each voxel of one surface to the other. */
function distancesFrom(surfaceFrom: Uint8Array, surfaceTo: Uint8Array, grid: DistanceGrid): Float64Array {
  const map = squaredDistances(surfaceTo, grid);
  return map
    .filter((_, index) => surfaceFrom[index] === 1)
    .map(Math.sqrt)
    .sort();
}
