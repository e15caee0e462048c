import { checkGrid } from './check-volume.js';
import { determinant, invert, multiply, scaleColumns, transform } from './matrix.js';
import type { Grid, Mat3, Vec3 } from './types.js';

/**
 * Files round: float32 NIfTI headers and decimal strings move a grid by up to 2e-4 mm a coordinate
 * (3.5e-4 mm in space). Nothing that matters to a voxel of 0.3 mm is that small.
 */
export const GRID_TOLERANCE_MM = 5e-4;

/** Cosine of the angle between two voxel axes up to which they count as perpendicular (0.06 degrees). */
export const SHEAR_TOLERANCE = 1e-3;

/**
 * Physical position (mm, LPS) of a voxel index, which may be fractional.
 * @example
 * indexToPhysical({ size: [4, 4, 4], spacing: [2, 2, 2], origin: [10, 0, 0], direction: IDENTITY }, [1, 0, 0]); // [12, 0, 0]
 */
export function indexToPhysical(grid: Grid, index: Vec3): Vec3 {
  const [x, y, z] = transform(scaleColumns(grid.direction, grid.spacing), index);
  return [x + grid.origin[0], y + grid.origin[1], z + grid.origin[2]];
}

/** Fractional voxel index of a physical position (mm, LPS): the inverse of `indexToPhysical`. */
export function physicalToIndex(grid: Grid, point: Vec3): Vec3 {
  const { origin } = grid;
  return transform(invert(scaleColumns(grid.direction, grid.spacing)), [
    point[0] - origin[0],
    point[1] - origin[1],
    point[2] - origin[2],
  ]);
}

/** The affine map from voxel indices of `from` to fractional voxel indices of `to`. */
export function indexMap(from: Grid, to: Grid): { matrix: Mat3; offset: Vec3 } {
  const inverse = invert(scaleColumns(to.direction, to.spacing));
  return {
    matrix: multiply(inverse, scaleColumns(from.direction, from.spacing)),
    offset: physicalToIndex(to, from.origin),
  };
}

/**
 * True where both grids have the same size and every voxel centre lies at the same place, to `toleranceMm`.
 * The distance of two affine grids is largest at a corner, so the eight corners decide.
 * @example
 * sameGrid(volume, mask); // true
 */
export function sameGrid(a: Grid, b: Grid, toleranceMm = GRID_TOLERANCE_MM): boolean {
  checkGrid(a, 'first grid');
  checkGrid(b, 'second grid');
  if (a.size.some((n, axis) => n !== b.size[axis])) return false;
  for (let corner = 0; corner < 8; corner++) {
    const index: Vec3 = [
      corner & 1 ? a.size[0] - 1 : 0,
      corner & 2 ? a.size[1] - 1 : 0,
      corner & 4 ? a.size[2] - 1 : 0,
    ];
    const p = indexToPhysical(a, index);
    const q = indexToPhysical(b, index);
    if (!(Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) <= toleranceMm)) return false;
  }
  return true;
}

/** True where the voxel axes are unit vectors perpendicular to each other, to `tolerance`. */
export function isOrthonormal(direction: Mat3, tolerance = SHEAR_TOLERANCE): boolean {
  const column = (c: number): Vec3 => [direction[c]!, direction[c + 3]!, direction[c + 6]!];
  const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const [x, y, z] = [column(0), column(1), column(2)];
  return (
    [x, y, z].every((axis) => Math.abs(dot(axis, axis) - 1) <= tolerance) &&
    [dot(x, y), dot(y, z), dot(x, z)].every((cosine) => Math.abs(cosine) <= tolerance)
  );
}

/** Volume of one voxel in mm3 (exact for sheared axes too). */
export function voxelVolumeMm3(grid: Grid): number {
  return Math.abs(determinant(scaleColumns(grid.direction, grid.spacing)));
}
