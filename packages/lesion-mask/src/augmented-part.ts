import { type Box, type Grid, indexToPhysical, reorientGrid, type Vec3 } from '@onco-response/volume';

/** Voxels beyond a lesion that interpolation and a slice's neighbours may need. */
const SPARE_VOXELS = 2;

/** The part of a grid that a box of voxels takes. */
export function cropGrid(grid: Grid, { minimum, maximum }: Box): Grid {
  const size = maximum.map((last, axis) => last - minimum[axis]! + 1) as unknown as Vec3;
  const { spacing, direction } = grid;
  return { size, spacing, direction, origin: indexToPhysical(grid, minimum) };
}

export function isWhole({ size }: Grid, { minimum, maximum }: Box): boolean {
  return minimum.every((first) => first === 0) && maximum.every((last, axis) => last === size[axis]! - 1);
}

/** A box of a cropped grid as one of the grid it was cropped from. */
export function shiftBox(box: Box, by: Vec3): Box {
  const move = (corner: Vec3) => corner.map((v, axis) => v + by[axis]!) as unknown as Vec3;
  return { minimum: move(box.minimum), maximum: move(box.maximum) };
}

/** Where a lesion may be after it was turned, scaled and moved within its slices. */
export function reach(
  grid: Grid,
  lesion: Box,
  { scale, shiftMm }: { scale: number; shiftMm: readonly number[] },
): Box {
  const through = throughAxis(grid);
  const sides = sidesMm(grid, lesion, through);
  return grow(grid, lesion, through, Math.hypot(...sides) * scale + Math.hypot(...shiftMm), 0);
}

/** The square within the slices that {@link lesionBox} takes with this margin, of the lesion's slices and a few more. */
export function squareAround(grid: Grid, lesion: Box, marginMm: number): Box {
  const through = throughAxis(grid);
  return grow(
    grid,
    lesion,
    through,
    Math.max(...sidesMm(grid, lesion, through)) / 2 + marginMm,
    SPARE_VOXELS,
  );
}

/** Within the slices `halfMm` to all sides of the lesion's middle, and through them the lesion's own extent. */
function grow(grid: Grid, lesion: Box, through: number, halfMm: number, spare: number): Box {
  const bound = (axis: number, sign: -1 | 1): number => {
    const middle = (lesion.minimum[axis]! + lesion.maximum[axis]!) / 2;
    const end = sign < 0 ? lesion.minimum[axis]! : lesion.maximum[axis]!;
    const reached = axis === through ? end : middle + (sign * halfMm) / grid.spacing[axis]!;
    const outward = (sign < 0 ? Math.floor(reached) : Math.ceil(reached)) + sign * spare;
    return Math.min(Math.max(outward, 0), grid.size[axis]! - 1);
  };
  return {
    minimum: [bound(0, -1), bound(1, -1), bound(2, -1)],
    maximum: [bound(0, 1), bound(1, 1), bound(2, 1)],
  };
}

function sidesMm(grid: Grid, lesion: Box, through: number): number[] {
  return [0, 1, 2]
    .filter((axis) => axis !== through)
    .map((axis) => (lesion.maximum[axis]! - lesion.minimum[axis]! + 1) * grid.spacing[axis]!);
}

/** The voxel axis that runs through the axial slices. */
function throughAxis(grid: Grid): number {
  const { direction } = reorientGrid(grid, 'LPS');
  const along = [0, 1, 2].map((axis) =>
    Math.abs([0, 3, 6].reduce((sum, row) => sum + grid.direction[row + axis]! * direction[row + 2]!, 0)),
  );
  return along.indexOf(Math.max(...along));
}
