import type { AxisTaps } from './axis-taps.js';
import { type Block, offsetIn, type Region } from './block.js';

/** One axis for each of x, y and z. */
export type AllTaps = readonly [AxisTaps, AxisTaps, AxisTaps];

/**
 * Separable resampling of a region where target and source axes run alike. Each source plane that some target needs is
 * resampled along x and y once and kept while targets along z use it; a target plane is their weighted sum.
 */
export function resampleAligned(
  source: Block,
  target: Block<Float32Array | Float64Array>,
  region: Region,
  [x, y, z]: AllTaps,
): void {
  const columns = x.end - x.first;
  const lines = y.end - y.first;
  if (columns <= 0 || lines <= 0) return;
  const resamplePlane = x.taps === 2 ? linearPlane : cubicPlane;
  // one target plane needs at most `taps` neighbouring source planes, which never share a slot
  const planes = Array.from({ length: z.taps }, () => new Float64Array(columns * lines));
  const held = new Int32Array(z.taps).fill(-1);
  const planeOf = (depth: number): Float64Array => {
    const slot = depth % z.taps;
    const plane = planes[slot]!;
    if (held[slot] !== depth) resamplePlane(source, depth, x, y, plane);
    held[slot] = depth;
    return plane;
  };

  const sum = new Float64Array(z.taps === 4 ? columns * lines : 0);
  // where target rows hold nothing else, a plane's rows are one piece
  const [pieces, length] = columns === target.size[0] ? [1, columns * lines] : [lines, columns];
  for (let k = z.first; k < z.end; k++) {
    const tap = k * z.taps;
    const start = offsetIn(target, region.start[0] + x.first, region.start[1] + y.first, region.start[2] + k);
    const [a, b] = [planeOf(z.index[tap]!), planeOf(z.index[tap + 1]!)];
    const [u, v] = [z.weight[tap]!, z.weight[tap + 1]!];
    if (z.taps === 4) {
      const [c, d] = [planeOf(z.index[tap + 2]!), planeOf(z.index[tap + 3]!)];
      blendFour(a, u, b, v, c, z.weight[tap + 2]!, d, z.weight[tap + 3]!, sum, 0, sum.length);
    }
    for (let piece = 0; piece < pieces; piece++) {
      const from = piece * length;
      const to = start + piece * target.size[0];
      if (z.taps === 2) blendTwo(a, u, b, v, from, target.data, to, length);
      else target.data.set(sum.subarray(from, from + length), to);
    }
  }
}

/** A source plane resampled along x and y: bilinear. */
function linearPlane(source: Block, depth: number, x: AxisTaps, y: AxisTaps, to: Float64Array): void {
  const { data } = source;
  const { index, weight, first, end } = x;
  for (let j = y.first, at = 0; j < y.end; j++) {
    const top = offsetIn(source, 0, y.index[2 * j]!, depth);
    const bottom = offsetIn(source, 0, y.index[2 * j + 1]!, depth);
    const v = y.weight[2 * j]!;
    const w = y.weight[2 * j + 1]!;
    for (let tap = 2 * first; tap < 2 * end; tap += 2, at++) {
      const left = index[tap]!;
      const right = index[tap + 1]!;
      const t = weight[tap]!;
      const u = weight[tap + 1]!;
      // in this order in linear-kernel.wat, too
      to[at] =
        t * (v * data[top + left]! + w * data[bottom + left]!) +
        u * (v * data[top + right]! + w * data[bottom + right]!);
    }
  }
}

/** A plane of coefficients resampled along x and y. Rows resampled along x are kept while lines along y use them. */
function cubicPlane(source: Block, depth: number, x: AxisTaps, y: AxisTaps, to: Float64Array): void {
  const columns = x.end - x.first;
  const rows = Array.from({ length: 4 }, () => new Float64Array(columns));
  const held = new Int32Array(4).fill(-1);
  const rowOf = (height: number): Float64Array => {
    const row = rows[height % 4]!;
    if (held[height % 4] !== height) gatherFour(source.data, offsetIn(source, 0, height, depth), x, row);
    held[height % 4] = height;
    return row;
  };
  for (let j = y.first, at = 0; j < y.end; j++, at += columns) {
    const tap = 4 * j;
    const [a, b] = [rowOf(y.index[tap]!), rowOf(y.index[tap + 1]!)];
    const [c, d] = [rowOf(y.index[tap + 2]!), rowOf(y.index[tap + 3]!)];
    const [t, u, v, w] = y.weight.subarray(tap, tap + 4) as unknown as [number, number, number, number];
    blendFour(a, t, b, u, c, v, d, w, to, at, columns);
  }
}

function gatherFour(
  from: Block['data'],
  start: number,
  { index, weight, first, end }: AxisTaps,
  to: Float64Array,
): void {
  for (let i = first, tap = i * 4; i < end; i++, tap += 4) {
    to[i - first] =
      weight[tap]! * from[start + index[tap]!]! +
      weight[tap + 1]! * from[start + index[tap + 1]!]! +
      (weight[tap + 2]! * from[start + index[tap + 2]!]! + weight[tap + 3]! * from[start + index[tap + 3]!]!);
  }
}

function blendTwo(
  a: Float64Array,
  u: number,
  b: Float64Array,
  v: number,
  from: number,
  to: Float32Array | Float64Array,
  at: number,
  length: number,
): void {
  // four at a time: a third less time, measured
  const last = length - (length % 4);
  for (let i = from, o = at; i < from + last; i += 4, o += 4) {
    to[o] = u * a[i]! + v * b[i]!;
    to[o + 1] = u * a[i + 1]! + v * b[i + 1]!;
    to[o + 2] = u * a[i + 2]! + v * b[i + 2]!;
    to[o + 3] = u * a[i + 3]! + v * b[i + 3]!;
  }
  for (let i = last; i < length; i++) to[at + i] = u * a[from + i]! + v * b[from + i]!;
}

function blendFour(
  a: Float64Array,
  t: number,
  b: Float64Array,
  u: number,
  c: Float64Array,
  v: number,
  d: Float64Array,
  w: number,
  to: Float64Array,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[at + i] = t * a[i]! + u * b[i]! + (v * c[i]! + w * d[i]!);
}

/** Nearest neighbour along aligned axes: a copy, in the source's own type. */
export function copyNearest(source: Block, target: Block, region: Region, [x, y, z]: AllTaps): void {
  for (let k = z.first; k < z.end; k++) {
    for (let j = y.first; j < y.end; j++) {
      const from = offsetIn(source, 0, y.index[j]!, z.index[k]!);
      const to = offsetIn(target, region.start[0], region.start[1] + j, region.start[2] + k);
      for (let i = x.first; i < x.end; i++) target.data[to + i] = source.data[from + x.index[i]!]!;
    }
  }
}
