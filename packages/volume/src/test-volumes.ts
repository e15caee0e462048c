import { createVolume } from './create-volume.js';
import type { Mask, Vec3, Volume } from './types.js';

/** Deterministic noise in [0, 1) for tests (mulberry32). */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function noiseVolume(size: Vec3, spacing: Vec3 = [1, 1, 1], seed = 1): Volume<Int16Array> {
  const next = noise(seed);
  const data = Int16Array.from(
    { length: size[0] * size[1] * size[2] },
    () => Math.floor(next() * 2000) - 1000,
  );
  return createVolume({ data, size, spacing, origin: [-5, 7, 11] });
}

export function noiseMask(size: Vec3, spacing: Vec3, share: number, seed = 1): Mask {
  const next = noise(seed);
  const data = Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (next() < share ? 1 : 0));
  return createVolume({ data, size, spacing });
}
