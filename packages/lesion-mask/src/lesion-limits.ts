import type { Vec3, Volume } from '@onco-response/volume';
import { alongLine, type LesionSeed, type PlacedSeed } from './lesion-seed.js';
import { voxelAt } from './mask-part.js';

export interface ValueLimits {
  readonly minimum: number;
  readonly maximum: number;
}

/** A difference to what lies beyond the line's end counts from this many standard deviations of the lesion on. */
const CONTRAST = 2;
/** Half width of the limits in standard deviations where nothing else bounds them. */
const SPREAD = 3;

/**
 * HU limits guessed from where the lesion is said to be. Inside: the voxels of the middle 70 % of the line, or the 3 x 3
 * x 3 voxels around a point; their median and robust spread (1.4826 MAD). A side's limit is 3 spreads from the median.
 * Beyond a line's ends (10 to 35 % of its length) lies what is not lesion: where its median differs by more than 2
 * spreads, that side's limit is half way to the end that differs more, so that a lesion in lung is cut at half its
 * contrast, and the other side is at least as wide.
 */
export function limitsFromSeed(volume: Volume, seed: LesionSeed, placed: PlacedSeed): ValueLimits {
  const step = Math.min(...volume.spacing) / 2;
  const inside =
    'line' in seed
      ? valuesAlong(volume, seed.line, 0.15, 0.85, step)
      : valuesAround(volume, placed.voxels[0]!);
  const centre = median(inside);
  const spread = 1.4826 * median(inside.map((v) => Math.abs(v - centre)));
  let [below, above] = [0, 0]; // half the difference to what lies beyond the line's ends, where that is clear
  if ('line' in seed) {
    for (const [start, end] of [
      [-0.35, -0.1],
      [1.1, 1.35],
    ] as const) {
      const outside = valuesAlong(volume, seed.line, start, end, step);
      if (outside.length === 0) continue;
      const half = (median(outside) - centre) / 2;
      if (2 * Math.abs(half) <= CONTRAST * spread) continue;
      if (half < 0) below = Math.max(below, -half);
      else above = Math.max(above, half);
    }
  }
  // a side without contrast is as wide as the other one: the spread of a few voxels is a poor guess
  const otherwise = Math.max(SPREAD * spread, below, above);
  return { minimum: centre - (below || otherwise), maximum: centre + (above || otherwise) };
}

function valuesAlong(
  volume: Volume,
  line: readonly [Vec3, Vec3],
  start: number,
  end: number,
  step: number,
): number[] {
  const voxels = alongLine(line, start, end, step).map((mm) => voxelAt(volume, mm));
  return voxels.filter((voxel) => voxel !== null).map((voxel) => valueAt(volume, voxel));
}

function valuesAround(volume: Volume, [x, y, z]: Vec3): number[] {
  const values: number[] = [];
  for (let k = z - 1; k <= z + 1; k++) {
    for (let j = y - 1; j <= y + 1; j++) {
      for (let i = x - 1; i <= x + 1; i++) {
        const inside = [i, j, k].every((v, axis) => v >= 0 && v < volume.size[axis]!);
        if (inside) values.push(valueAt(volume, [i, j, k]));
      }
    }
  }
  return values;
}

export function valueAt({ data, size }: Volume, [x, y, z]: Vec3): number {
  return data[x + size[0] * (y + size[1] * z)]!;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2;
}
