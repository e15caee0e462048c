import { type Grid, indexToPhysical, type Vec3 } from '@onco-response/volume';
import { refuse } from './lesion-mask-error.js';
import { voxelAt } from './mask-part.js';

/** Where a lesion is: a voxel of it, a point in mm (LPS), or the two ends of its longest diameter in mm, as in RECIST. */
export type LesionSeed =
  | { readonly voxel: Vec3 }
  | { readonly mm: Vec3 }
  | { readonly line: readonly [Vec3, Vec3] };

export interface PlacedSeed {
  /** All voxels that the point or the line lies in. */
  readonly voxels: Vec3[];
  /** The point, or the line's middle, mm. */
  readonly centreMm: Vec3;
  /** 0 for a point. */
  readonly lengthMm: number;
}

/**
 * The voxels of a seed.
 * @throws LesionMaskError INVALID_ARGUMENT where it does not lie in the volume
 */
export function placeSeed(grid: Grid, seed: LesionSeed): PlacedSeed {
  const ends =
    'line' in seed
      ? seed.line
      : 'mm' in seed
        ? ([seed.mm, seed.mm] as const)
        : (() => {
            const { voxel } = seed;
            if (!voxel?.every((v, axis) => Number.isInteger(v) && v >= 0 && v < grid.size[axis]!))
              refuse(
                `the seed voxel [${voxel}] does not lie in the volume of ${grid.size.join(' x ')} voxels`,
              );
            const mm = indexToPhysical(grid, voxel);
            return [mm, mm] as const;
          })();
  const [from, to] = ends;
  for (const end of ends) {
    if (end?.length !== 3 || !end.every(Number.isFinite))
      refuse('a seed has to be three numbers, a line two of those');
  }
  const lengthMm = Math.hypot(...from.map((v, axis) => to[axis]! - v));
  if ('line' in seed && lengthMm === 0) refuse('the two ends of the line are the same point: give a seed');
  const voxels = alongLine(ends, 0, 1, Math.min(...grid.spacing) / 2).map((mm) => {
    const voxel = voxelAt(grid, mm);
    if (voxel !== null) return voxel;
    return refuse(
      `the ${'line' in seed ? 'line leaves' : 'seed lies outside'} the volume at [${mm.map((v) => v.toFixed(1)).join(', ')}] mm: are the coordinates LPS, in mm?`,
    );
  });
  const once = new Map(voxels.map((voxel) => [voxel.join(), voxel]));
  return { voxels: [...once.values()], centreMm: between(from, to, 0.5), lengthMm };
}

/** Points on the line from share `start` to share `end` of it, at most `stepMm` apart. */
export function alongLine(
  [from, to]: readonly [Vec3, Vec3],
  start: number,
  end: number,
  stepMm: number,
): Vec3[] {
  const length = Math.hypot(...from.map((v, axis) => to[axis]! - v)) * (end - start);
  const steps = Math.ceil(length / stepMm);
  return Array.from({ length: steps + 1 }, (_, n) =>
    between(from, to, start + (end - start) * (steps === 0 ? 0 : n / steps)),
  );
}

function between(from: Vec3, to: Vec3, share: number): Vec3 {
  return from.map((v, axis) => v + share * (to[axis]! - v)) as unknown as Vec3;
}
