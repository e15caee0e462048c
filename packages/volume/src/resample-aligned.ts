import type { AxisTaps } from './axis-taps.js';
import type { Vec3, VoxelArray } from './types.js';

/**
 * Separable resampling where target and source axes run alike. Each source plane that some target needs is resampled
 * along x and y once and kept while targets along z use it; a target plane is their weighted sum. Only the rows that
 * some target needs are touched, so a small target in a large volume costs little.
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
  const [top, bottom] = usedRange(y);
  const columns = x.end - x.first;
  const lines = y.end - y.first;
  if (columns <= 0 || lines <= 0) return;
  const rows = new Float64Array(columns * (bottom - top)); // one source plane, resampled along x
  // One target plane needs at most `taps` neighbouring source planes, which never share a slot.
  const slots = Array.from({ length: z.taps }, () => new Float64Array(columns * lines));
  const held = new Int32Array(z.taps).fill(-1);
  const planeOf = (index: number): Float64Array => {
    const slot = index % z.taps;
    const plane = slots[slot]!;
    if (held[slot] === index) return plane;
    held[slot] = index;
    for (let j = top; j < bottom; j++) {
      const start = width * (j + height * index);
      if (x.taps === 2) gatherTwo(source, start, x, rows, (j - top) * columns);
      else gather(source, start, x, rows, (j - top) * columns);
    }
    for (let j = 0; j < lines; j++) {
      const first = (y.first + j) * y.taps;
      for (let tap = first; tap < first + y.taps; tap += 2) {
        const [a, b] = [(y.index[tap]! - top) * columns, (y.index[tap + 1]! - top) * columns];
        blendTwo(
          rows,
          a,
          y.weight[tap]!,
          rows,
          b,
          y.weight[tap + 1]!,
          plane,
          j * columns,
          columns,
          tap > first,
        );
      }
    }
    return plane;
  };

  const sum = new Float64Array(columns * lines);
  for (let k = z.first; k < z.end; k++) {
    const first = k * z.taps;
    for (let tap = first; tap < first + z.taps; tap += 2) {
      const [a, b] = [planeOf(z.index[tap]!), planeOf(z.index[tap + 1]!)];
      blendTwo(a, 0, z.weight[tap]!, b, 0, z.weight[tap + 1]!, sum, 0, sum.length, tap > first);
    }
    for (let j = 0; j < lines; j++) {
      const to = x.first + targetSize[0] * (y.first + j + targetSize[1] * k);
      target.set(sum.subarray(j * columns, (j + 1) * columns), to);
    }
  }
}

/** `to` = (`to` +) weighted sum of two lines; two at a time is half the passes over memory. */
function blendTwo(
  a: Float64Array,
  atA: number,
  weightA: number,
  b: Float64Array,
  atB: number,
  weightB: number,
  to: Float64Array,
  at: number,
  length: number,
  add: boolean,
): void {
  if (add)
    for (let i = 0; i < length; i++) to[at + i] = to[at + i]! + weightA * a[atA + i]! + weightB * b[atB + i]!;
  else for (let i = 0; i < length; i++) to[at + i] = weightA * a[atA + i]! + weightB * b[atB + i]!;
}

/** Along x each target has neighbours of its own. */
function gather(
  from: VoxelArray,
  start: number,
  { taps, index, weight, first, end }: AxisTaps,
  to: Float64Array,
  at: number,
): void {
  for (let i = first, tap = i * taps; i < end; i++) {
    let sum = 0;
    for (let last = tap + taps; tap < last; tap++) sum += weight[tap]! * from[start + index[tap]!]!;
    to[at + i - first] = sum;
  }
}

function gatherTwo(
  from: VoxelArray,
  start: number,
  { index, weight, first, end }: AxisTaps,
  to: Float64Array,
  at: number,
): void {
  for (let i = first, tap = 2 * first; i < end; i++, tap += 2) {
    to[at + i - first] =
      weight[tap]! * from[start + index[tap]!]! + weight[tap + 1]! * from[start + index[tap + 1]!]!;
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
