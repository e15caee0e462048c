import type { Vec3, VoxelArray } from './types.js';

/** The one pole of the cubic B-spline's prefilter. */
const POLE = Math.sqrt(3) - 2;

/** Terms after which |POLE|^n < 1e-10: the rest of the causal start sum is below float32's precision. */
const HORIZON = 18;

const GAIN = (1 - POLE) * (1 - 1 / POLE); // 6
const LAST_GAIN = POLE / (POLE * POLE - 1);

/**
 * Coefficients c of the cubic B-spline that passes through the samples: the recursive prefilter of Unser, Aldroubi
 * and Eden (1993) with mirror boundaries, as in ITK's BSplineDecompositionImageFilter. Axis by axis, in place, in
 * float32; lines along y and z are filtered side by side so that memory is read in order.
 */
export function bsplineCoefficients(samples: VoxelArray, size: Vec3): Float32Array {
  const coefficients = new Float32Array(samples.length);
  filterPlanes(samples, coefficients, size);
  filterDepth(coefficients, size, 0, size[1]);
  return coefficients;
}

/** The filter along x and y, from `samples` to `coefficients`: each plane on its own. */
export function filterPlanes(
  samples: VoxelArray,
  coefficients: Float32Array,
  [width, height, depth]: Vec3,
): void {
  const plane = width * height;
  for (let z = 0; z < depth; z++) {
    const end = (z + 1) * plane;
    // conversion of the voxel type is the array's own work: the loops below see one type only
    coefficients.set(samples.subarray(z * plane, end), z * plane);
    let row = z * plane;
    if (width > 1) {
      for (; row + 3 * width < end; row += 4 * width) filterFourRows(coefficients, row, width);
      for (; row < end; row += width) filterLines(coefficients, row, width, 1, 1);
    }
    filterLines(coefficients, z * plane, height, width, width);
  }
}

/** The filter along z, in place, of the lines in `rows` rows of each plane from `firstRow` on. */
export function filterDepth(
  coefficients: Float32Array,
  [width, height, depth]: Vec3,
  firstRow: number,
  rows: number,
): void {
  filterLines(coefficients, firstRow * width, depth, width * height, rows * width);
}

/** Start of the causal recursion: the sum of POLE^n c[n] over the mirrored line. */
function firstSum(c: Float32Array, at: number, length: number, stride: number): number {
  let sum = c[at]!;
  if (length > HORIZON) {
    for (let n = 1, power = POLE; n < HORIZON; n++, power *= POLE) sum += power * c[at + n * stride]!;
    return sum;
  }
  // the exact sum over the mirrored signal of period 2 (length - 1)
  const end = POLE ** (length - 1);
  let [forward, backward] = [POLE, (end * end) / POLE];
  sum += end * c[at + (length - 1) * stride]!;
  for (let n = 1; n < length - 1; n++) {
    sum += (forward + backward) * c[at + n * stride]!;
    forward *= POLE;
    backward /= POLE;
  }
  return sum / (1 - end * end);
}

/** Filters four rows that follow each other: each step waits for the one before, those of other rows do not. */
function filterFourRows(c: Float32Array, start: number, length: number): void {
  const [a, b, d, e] = [start, start + length, start + 2 * length, start + 3 * length];
  for (const at of [a, b, d, e]) c[at] = GAIN * firstSum(c, at, length, 1);
  let [p, q, r, s] = [c[a]!, c[b]!, c[d]!, c[e]!];
  for (let n = 1; n < length; n++) {
    p = Math.fround(GAIN * c[a + n]! + POLE * p);
    q = Math.fround(GAIN * c[b + n]! + POLE * q);
    r = Math.fround(GAIN * c[d + n]! + POLE * r);
    s = Math.fround(GAIN * c[e + n]! + POLE * s);
    c[a + n] = p;
    c[b + n] = q;
    c[d + n] = r;
    c[e + n] = s;
  }
  const last = length - 1;
  for (const at of [a, b, d, e]) c[at + last] = LAST_GAIN * (c[at + last]! + POLE * c[at + last - 1]!);
  [p, q, r, s] = [c[a + last]!, c[b + last]!, c[d + last]!, c[e + last]!];
  for (let n = last - 1; n >= 0; n--) {
    p = Math.fround(POLE * (p - c[a + n]!));
    q = Math.fround(POLE * (q - c[b + n]!));
    r = Math.fround(POLE * (r - c[d + n]!));
    s = Math.fround(POLE * (s - c[e + n]!));
    c[a + n] = p;
    c[b + n] = q;
    c[d + n] = r;
    c[e + n] = s;
  }
}

/** Filters `side` neighbouring lines of `length` samples that lie `stride` apart. */
function filterLines(c: Float32Array, start: number, length: number, stride: number, side: number): void {
  if (length === 1) return;
  for (let at = start; at < start + side; at++) c[at] = GAIN * firstSum(c, at, length, stride);
  for (let n = 1; n < length; n++) {
    const first = start + n * stride;
    for (let at = first; at < first + side; at++) c[at] = GAIN * c[at]! + POLE * c[at - stride]!;
  }
  const last = start + (length - 1) * stride;
  for (let at = last; at < last + side; at++) c[at] = LAST_GAIN * (c[at]! + POLE * c[at - stride]!);
  for (let n = length - 2; n >= 0; n--) {
    const first = start + n * stride;
    for (let at = first; at < first + side; at++) c[at] = POLE * (c[at + stride]! - c[at]!);
  }
}
