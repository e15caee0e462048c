import type { SplineOrder } from './resampling-plan.js';

/** The one pole of the cubic B-spline's prefilter. */
const POLE = Math.sqrt(3) - 2;
const GAIN = (1 - POLE) * (1 - 1 / POLE); // 6

/** Edge voxels that scipy repeats before it filters (`_prepad_for_spline_filter`): POLE^12 is 1e-7. */
const EDGE = 12;

/** Where the samples of an axis come from: `width` neighbours each, from `first` on, and their weights. */
export interface AxisTaps {
  readonly from: number;
  readonly to: number;
  readonly order: SplineOrder;
  readonly width: number;
  /** For cubic splines within the padded line. */
  readonly first: Int32Array;
  readonly weights: Float64Array;
}

/** Taps of scipy.ndimage.zoom with `grid_mode=True, mode='nearest'`: sample k lies at (k + 1/2) from/to - 1/2. */
export function axisTaps(from: number, to: number, order: SplineOrder): AxisTaps {
  const width = order + 1;
  const first = new Int32Array(to);
  const weights = new Float64Array(to * width);
  const scale = from / to;
  for (let sample = 0; sample < to; sample++) {
    const at = (sample + 0.5) * scale - 0.5;
    const inside = Math.min(Math.max(at, 0), from - 1);
    if (order === 0) {
      first[sample] = Math.floor(inside + 0.5);
      weights[sample] = 1;
    } else if (order === 1) {
      const low = Math.floor(inside);
      first[sample] = low;
      weights[2 * sample] = 1 - (inside - low);
      weights[2 * sample + 1] = inside - low;
    } else {
      const padded = at + EDGE;
      const low = Math.floor(padded);
      const [y, z] = [padded - low, 1 - (padded - low)];
      const middle = (y * y * (y - 2) * 3 + 4) / 6;
      const next = (z * z * (z - 2) * 3 + 4) / 6;
      const last = z ** 3 / 6;
      first[sample] = low - 1;
      weights.set([last, middle, next, 1 - last - middle - next], 4 * sample);
    }
  }
  return { from, to, order, width, first, weights };
}

/** Resamples `side` lines that lie side by side: [from, side] to [to, side]. */
export function resampleLines(lines: Float64Array, side: number, taps: AxisTaps): Float64Array {
  const { from, to, width, first, weights } = taps;
  const source = taps.order === 3 ? splineCoefficients(lines, from, side) : lines;
  const last = source.length / side - 1;
  const resampled = new Float64Array(to * side);
  for (let sample = 0; sample < to; sample++) {
    const out = sample * side;
    for (let tap = 0; tap < width; tap++) {
      const weight = weights[sample * width + tap]!;
      if (weight === 0) continue;
      const row = Math.min(first[sample]! + tap, last) * side;
      for (let at = 0; at < side; at++) resampled[out + at]! += weight * source[row + at]!;
    }
  }
  return resampled;
}

/**
 * Coefficients of the cubic B-spline through lines that go on at both ends with their edge values; EDGE more on each
 * side than samples. The filter starts as scipy's does for 'nearest': mirrored about half a sample beyond the end.
 */
function splineCoefficients(lines: Float64Array, length: number, side: number): Float64Array {
  const padded = length + 2 * EDGE;
  const c = new Float64Array(padded * side);
  for (let n = 0; n < padded; n++) {
    const row = Math.min(Math.max(n - EDGE, 0), length - 1) * side;
    for (let at = 0; at < side; at++) c[n * side + at] = GAIN * lines[row + at]!;
  }
  for (let at = 0; at < side; at++) {
    let sum = c[at]!;
    for (let n = 0, power = POLE; n < Math.min(padded, 40); n++, power *= POLE)
      sum += power * c[n * side + at]!;
    c[at] = sum;
  }
  for (let at = side; at < padded * side; at++) c[at]! += POLE * c[at - side]!;
  const end = (padded - 1) * side;
  for (let at = end; at < padded * side; at++) c[at]! *= POLE / (POLE - 1);
  for (let at = end - 1; at >= 0; at--) c[at] = POLE * (c[at + side]! - c[at]!);
  return c;
}
