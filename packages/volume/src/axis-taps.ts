/** How the voxels along one target axis are weighted sums of source voxels along the same axis. */
export interface AxisTaps {
  /** Taps a target voxel has: 1 (nearest), 2 (linear) or 4 (cubic B-spline). */
  readonly taps: number;
  /** Source index of each tap, [targets * taps]. */
  readonly index: Int32Array;
  /** Weight of each tap, [targets * taps]. */
  readonly weight: Float64Array;
  /** First of the targets that lies inside the source, and the one after the last; counted from the first target. */
  readonly first: number;
  readonly end: number;
}

/** Rounding of positions computed in float64: half-way positions must fall to the same side on every machine. */
const POSITION_NOISE = 1e-7;

/** True where a fractional index lies in the source's voxels, half a voxel beyond the outer centres included. */
export function isInside(position: number, length: number): boolean {
  return position >= -0.5 - POSITION_NOISE && position <= length - 0.5 + POSITION_NOISE;
}

/** The voxel nearest to a fractional index; half-way goes up, as in ITK. */
export function nearestIndex(position: number, length: number): number {
  const rounded = Math.floor(position + 0.5 + POSITION_NOISE);
  return rounded < 0 ? 0 : rounded >= length ? length - 1 : rounded;
}

/** Mirrors an index about the centres of the outer voxels (whole-sample symmetric), the B-spline's boundary rule. */
export function mirror(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/** Weights of the four cubic B-splines at fraction t in [0, 1) after the second: written to `weights` at `at`. */
export function cubicWeights(t: number, weights: Float64Array, at: number): void {
  const u = 1 - t;
  weights[at] = (u * u * u) / 6;
  weights[at + 1] = 2 / 3 - t * t + (t * t * t) / 2;
  weights[at + 2] = 2 / 3 - u * u + (u * u * u) / 2;
  weights[at + 3] = (t * t * t) / 6;
}

/** Taps of `targets` target voxels from `start` on, at source positions offset + scale * target. */
export function axisTaps(
  start: number,
  targets: number,
  scale: number,
  offset: number,
  length: number,
  interpolation: 'nearest' | 'linear' | 'bspline',
): AxisTaps {
  const taps = interpolation === 'nearest' ? 1 : interpolation === 'linear' ? 2 : 4;
  const index = new Int32Array(targets * taps);
  const weight = new Float64Array(targets * taps);
  let first = targets;
  let end = 0;
  for (let target = 0; target < targets; target++) {
    const position = offset + scale * (start + target);
    if (!isInside(position, length)) continue;
    if (first === targets) first = target;
    end = target + 1;
    const at = target * taps;
    if (taps === 1) {
      index[at] = nearestIndex(position, length);
      weight[at] = 1;
      continue;
    }
    const clamped = Math.min(Math.max(position, 0), length - 1);
    const base = taps === 2 ? Math.min(Math.floor(clamped), Math.max(length - 2, 0)) : Math.floor(position);
    if (taps === 2) {
      index[at] = base;
      index[at + 1] = Math.min(base + 1, length - 1);
      weight[at + 1] = clamped - base;
      weight[at] = 1 - weight[at + 1]!;
      // a tap of weight 0 points at the voxel that counts: 0 * NaN of a neighbour would be NaN
      if (weight[at + 1] === 0) index[at + 1] = base;
      if (weight[at] === 0) index[at] = index[at + 1]!;
    } else {
      for (let tap = 0; tap < 4; tap++) index[at + tap] = mirror(base - 1 + tap, length);
      cubicWeights(position - base, weight, at);
    }
  }
  return { taps, index, weight, first: Math.min(first, end), end };
}
