import type { Vec3 } from '@onco-response/volume';

/** Parts of the shortest spacing that lengths are counted in: lengths are right to 0.2 %. */
const STEPS = 256;
const UNREACHED = 0x7fffffff;

/**
 * Length in mm of the shortest way over voxel faces from any seed to each accepted voxel (`accepted` not 0) without
 * leaving the accepted ones; Infinity where there is none. Seeds that are not accepted don't count. Dial's algorithm:
 * no step is shorter than a bucket is wide, so that a voxel's distance is final when its bucket is emptied.
 */
export function geodesicDistance(
  accepted: Uint8Array,
  size: Vec3,
  spacing: Vec3,
  seeds: Iterable<number>,
): Float32Array {
  // whole numbers: sums of steps are the same in any order, so that equal ways never replace each other
  const unitMm = Math.min(...spacing) / STEPS;
  const [stepX, stepY, stepZ] = spacing.map((s) => Math.round(s / unitMm)) as unknown as Vec3;
  const away = new Int32Array(accepted.length).fill(UNREACHED);
  const buckets: number[][] = [[]];
  for (const seed of seeds) {
    if (accepted[seed] === 0 || away[seed] === 0) continue;
    away[seed] = 0;
    buckets[0]!.push(seed);
  }
  const [width, height] = size;
  const plane = width * height;
  const reach = (at: number, units: number): void => {
    if (accepted[at] === 0 || away[at]! <= units) return;
    away[at] = units;
    const bucket = Math.floor(units / STEPS);
    while (buckets.length <= bucket) buckets.push([]);
    buckets[bucket]!.push(at);
  };
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    for (const at of buckets[bucket]!) {
      const units = away[at]!;
      if (Math.floor(units / STEPS) !== bucket) continue; // reached by a shorter way since
      const x = at % width;
      const y = Math.floor(at / width) % height;
      if (x > 0) reach(at - 1, units + stepX);
      if (x < width - 1) reach(at + 1, units + stepX);
      if (y > 0) reach(at - width, units + stepY);
      if (y < height - 1) reach(at + width, units + stepY);
      if (at >= plane) reach(at - plane, units + stepZ);
      if (at + plane < accepted.length) reach(at + plane, units + stepZ);
    }
    buckets[bucket] = [];
  }
  return toMm(away, unitMm);
}

function toMm(away: Int32Array, unitMm: number): Float32Array {
  const mm = new Float32Array(away.length);
  for (let at = 0; at < mm.length; at++)
    mm[at] = away[at] === UNREACHED ? Number.POSITIVE_INFINITY : away[at]! * unitMm;
  return mm;
}
