import type { AxisTaps } from './axis-taps.js';
import type { Vec3, VoxelArray } from './types.js';

/**
 * Separable resampling where target and source axes run alike: planes are blended along z, rows of the blend along
 * y, voxels of that along x. Only the rows and columns that some target needs are touched, so a small target in a
 * large volume costs little.
 */
export function resampleAligned(
  source: VoxelArray,
  sourceSize: Vec3,
  target: Float32Array | Float64Array,
  targetSize: Vec3,
  axes: readonly [AxisTaps, AxisTaps, AxisTaps],
): void {
  const [x, y, z] = axes;
  const [width, height] = sourceSize;
  const [left, right] = usedRange(x);
  const [top, bottom] = usedRange(y);
  const columns = right - left;
  if (columns <= 0 || bottom <= top) return;
  const plane = new Float64Array(columns * (bottom - top));
  const row = new Float64Array(columns);

  for (let k = z.first; k < z.end; k++) {
    for (let tap = 0; tap < z.taps; tap++) {
      const weight = z.weight[k * z.taps + tap]!;
      const start = z.index[k * z.taps + tap]! * width * height;
      for (let j = top, at = 0; j < bottom; j++) {
        const from = start + j * width;
        if (tap === 0) for (let i = left; i < right; i++) plane[at++] = weight * source[from + i]!;
        else for (let i = left; i < right; i++) plane[at] = plane[at++]! + weight * source[from + i]!;
      }
    }
    for (let j = y.first; j < y.end; j++) {
      for (let tap = 0; tap < y.taps; tap++) {
        const weight = y.weight[j * y.taps + tap]!;
        const from = (y.index[j * y.taps + tap]! - top) * columns;
        if (tap === 0) for (let i = 0; i < columns; i++) row[i] = weight * plane[from + i]!;
        else for (let i = 0; i < columns; i++) row[i] = row[i]! + weight * plane[from + i]!;
      }
      const to = targetSize[0] * (j + targetSize[1] * k);
      for (let i = x.first, tap = i * x.taps; i < x.end; i++) {
        let sum = 0;
        for (let end = tap + x.taps; tap < end; tap++) sum += x.weight[tap]! * row[x.index[tap]! - left]!;
        target[to + i] = sum;
      }
    }
  }
}

/** Nearest neighbour along aligned axes: a copy, in the source's own type. */
export function copyNearest(
  source: VoxelArray,
  sourceSize: Vec3,
  target: VoxelArray,
  targetSize: Vec3,
  axes: readonly [AxisTaps, AxisTaps, AxisTaps],
): void {
  const [x, y, z] = axes;
  for (let k = z.first; k < z.end; k++) {
    for (let j = y.first; j < y.end; j++) {
      const from = sourceSize[0] * (y.index[j]! + sourceSize[1] * z.index[k]!);
      const to = targetSize[0] * (j + targetSize[1] * k);
      for (let i = x.first; i < x.end; i++) target[to + i] = source[from + x.index[i]!]!;
    }
  }
}

/** The source indices [first, end) that the inside targets of an axis use. */
function usedRange({ index, taps, first, end }: AxisTaps): [number, number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, -1];
  for (let at = first * taps; at < end * taps; at++) {
    if (index[at]! < lowest) lowest = index[at]!;
    if (index[at]! > highest) highest = index[at]!;
  }
  return [lowest, highest + 1];
}
