import { checkVolume } from './check-volume.js';
import type { Vec3, Volume } from './types.js';

/**
 * Distance in mm from each voxel's centre to the centre of the nearest non-zero voxel (0 inside the mask, Infinity
 * everywhere for an empty mask). Exact for any spacing: Felzenszwalb and Huttenlocher, "Distance transforms of sampled
 * functions" (2012), axis by axis. Voxel axes are taken as perpendicular.
 * @example
 * const distance = distanceTransform(lesion); // Volume<Float32Array>, mm
 */
export function distanceTransform(mask: Volume): Volume<Float32Array> {
  checkVolume(mask, 'mask');
  const { data, size, spacing, origin, direction } = mask;
  const squared = squaredDistances(size, spacing, (at) => data[at] !== 0);
  const distance = new Float32Array(squared.length);
  for (let at = 0; at < squared.length; at++) distance[at] = Math.sqrt(squared[at]!);
  return { data: distance, size, spacing, origin, direction };
}

/** Squared distance in mm2 of every voxel to the nearest voxel for which `isSite` holds. */
export function squaredDistances(size: Vec3, spacing: Vec3, isSite: (at: number) => boolean): Float64Array {
  const [width, height, depth] = size;
  const squared = new Float64Array(width * height * depth);
  for (let at = 0; at < squared.length; at++) squared[at] = isSite(at) ? 0 : Number.POSITIVE_INFINITY;
  const longest = Math.max(...size);
  const scratch = {
    line: new Float64Array(longest),
    site: new Int32Array(longest),
    border: new Float64Array(longest + 1),
  };
  for (let row = 0; row < height * depth; row++)
    lowerEnvelope(squared, row * width, width, 1, spacing[0], scratch);
  for (let z = 0; z < depth; z++) {
    for (let x = 0; x < width; x++) {
      lowerEnvelope(squared, x + z * width * height, height, width, spacing[1], scratch);
    }
  }
  for (let at = 0; at < width * height; at++) {
    lowerEnvelope(squared, at, depth, width * height, spacing[2], scratch);
  }
  return squared;
}

interface Scratch {
  readonly line: Float64Array;
  readonly site: Int32Array;
  readonly border: Float64Array;
}

/** One line: the lower envelope of the parabolas f(q) + (spacing (p - q))^2, written back in place. */
function lowerEnvelope(
  f: Float64Array,
  start: number,
  length: number,
  stride: number,
  spacing: number,
  { line, site, border }: Scratch,
): void {
  const s2 = spacing * spacing;
  let parabolas = 0;
  for (let q = 0; q < length; q++) {
    const height = f[start + q * stride]!;
    line[q] = height;
    if (height === Number.POSITIVE_INFINITY) continue; // no site on this line so far: no parabola
    let from = Number.NEGATIVE_INFINITY;
    while (parabolas > 0) {
      const v = site[parabolas - 1]!;
      from = (height - line[v]! + s2 * (q * q - v * v)) / (2 * s2 * (q - v));
      if (from > border[parabolas - 1]!) break;
      parabolas--;
      from = Number.NEGATIVE_INFINITY;
    }
    site[parabolas] = q;
    border[parabolas++] = from;
  }
  if (parabolas === 0) return;
  for (let p = 0, at = 0; p < length; p++) {
    while (at + 1 < parabolas && border[at + 1]! < p) at++;
    const q = site[at]!;
    f[start + p * stride] = line[q]! + s2 * (p - q) * (p - q);
  }
}
