import { checkGrid } from './check-volume.js';
import { indexToPhysical } from './geometry.js';
import type { Grid, Vec3 } from './types.js';
import { VolumeError } from './volume-error.js';

/** A size that is whole but for rounding must not gain a voxel. */
const SIZE_ROUNDING = 1e-6;

/**
 * The grid of exactly the given spacing over the same region: ceil(size * old / new) voxels centred on it, axes kept
 * (IBSI reference manual, section 2.4).
 * @throws VolumeError INVALID_ARGUMENT unless the spacing is three numbers > 0, TOO_LARGE
 * @example
 * spacedGrid(ct, [1, 1, 1]).size; // [380, 380, 250]
 */
export function spacedGrid(grid: Grid, spacing: Vec3): Grid {
  checkGrid(grid, 'grid');
  if (!Array.isArray(spacing) || spacing.length !== 3 || !spacing.every((s) => Number.isFinite(s) && s > 0)) {
    throw new VolumeError({
      code: 'INVALID_ARGUMENT',
      message: `the target has to be { spacing: [x, y, z] } with numbers > 0 (mm) or { like: volume }, found spacing ${spacing}`,
    });
  }
  const size = grid.size.map((n, axis) =>
    Math.max(1, Math.ceil((n * grid.spacing[axis]!) / spacing[axis]! - SIZE_ROUNDING)),
  ) as unknown as Vec3;
  const first = size.map(
    (n, axis) => (grid.size[axis]! - 1) / 2 - (((n - 1) / 2) * spacing[axis]!) / grid.spacing[axis]!,
  ) as unknown as Vec3;
  const spaced = { size, spacing, origin: indexToPhysical(grid, first), direction: grid.direction };
  checkGrid(spaced, 'the target');
  return spaced;
}
