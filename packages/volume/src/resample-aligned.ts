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
  const plane = new Float64Array(columns * (bottom - top)); // z blended
  const row = new Float64Array(columns); // z and y blended

  for (let k = z.first; k < z.end; k++) {
    for (let j = top; j < bottom; j++) {
      const start = left + j * width;
      blend(source, start, width * height, z, k, plane, (j - top) * columns, columns);
    }
    for (let j = y.first; j < y.end; j++) {
      blend(plane, -top * columns, columns, y, j, row, 0, columns);
      const to = targetSize[0] * (j + targetSize[1] * k);
      if (x.taps === 2) gatherTwo(row, left, x, target, to);
      else gather(row, left, x, target, to);
    }
  }
}

/**
 * `to[at..]` = weighted sum of the lines of `from` that target `n` of an axis needs; line m starts at start + m * stride.
 * Taps are taken two at a time: half the passes over memory.
 */
function blend(
  from: VoxelArray,
  start: number,
  stride: number,
  { taps, index, weight }: AxisTaps,
  n: number,
  to: Float64Array,
  at: number,
  length: number,
): void {
  for (let tap = n * taps, end = tap + taps; tap < end; tap += 2) {
    const a = start + index[tap]! * stride;
    const b = start + index[tap + 1]! * stride;
    const wa = weight[tap]!;
    const wb = weight[tap + 1]!;
    if (tap === n * taps) for (let i = 0; i < length; i++) to[at + i] = wa * from[a + i]! + wb * from[b + i]!;
    else for (let i = 0; i < length; i++) to[at + i] = to[at + i]! + wa * from[a + i]! + wb * from[b + i]!;
  }
}

/** Along x each target has neighbours of its own. */
function gather(
  row: Float64Array,
  left: number,
  { taps, index, weight, first, end }: AxisTaps,
  target: Float32Array | Float64Array,
  to: number,
): void {
  for (let i = first, tap = i * taps; i < end; i++) {
    let sum = 0;
    for (let last = tap + taps; tap < last; tap++) sum += weight[tap]! * row[index[tap]! - left]!;
    target[to + i] = sum;
  }
}

function gatherTwo(
  row: Float64Array,
  left: number,
  { index, weight, first, end }: AxisTaps,
  target: Float32Array | Float64Array,
  to: number,
): void {
  for (let i = first, tap = 2 * first; i < end; i++, tap += 2) {
    target[to + i] =
      weight[tap]! * row[index[tap]! - left]! + weight[tap + 1]! * row[index[tap + 1]! - left]!;
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
