import type { SeededRandom } from '../seeded-random.js';

const side = 32;
const wrap = side - 1;

/** Smooth random field over space: mean 0, standard deviation about 1, features of about 1 unit, period 32. */
export type LatticeNoise = (x: number, y: number, z: number) => number;

/** Value noise: normal deviates on a lattice, interpolated with smoothstep weights. */
export function latticeNoise(random: SeededRandom): LatticeNoise {
  const lattice = Float32Array.from({ length: side ** 3 }, () => random.normal() * 1.55); // interpolation shrinks the spread
  return (x, y, z) => {
    const i = Math.floor(x);
    const j = Math.floor(y);
    const k = Math.floor(z);
    const u = smooth(x - i);
    const v = smooth(y - j);
    const w = smooth(z - k);
    const i0 = i & wrap;
    const i1 = (i + 1) & wrap;
    const row = (jj: number, kk: number) => {
      const start = side * ((jj & wrap) + side * (kk & wrap));
      const left = lattice[start + i0]!;
      return left + u * (lattice[start + i1]! - left);
    };
    const near = row(j, k) + v * (row(j + 1, k) - row(j, k));
    const far = row(j, k + 1) + v * (row(j + 1, k + 1) - row(j, k + 1));
    return near + w * (far - near);
  };
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
