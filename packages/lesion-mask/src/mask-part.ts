import { type Box, type Grid, type Mask, physicalToIndex, type Vec3 } from '@onco-response/volume';

/** The grid's whole box. */
export function wholeBox({ size }: Grid): Box {
  return { minimum: [0, 0, 0], maximum: [size[0] - 1, size[1] - 1, size[2] - 1] };
}

/** The box with `mm` more on each side, within the grid. */
export function widenBox({ minimum, maximum }: Box, grid: Grid, mm: Vec3): Box {
  const by = mm.map((margin, axis) => Math.ceil(margin / grid.spacing[axis]! - 1e-9));
  return {
    minimum: minimum.map((first, axis) => Math.max(0, first - by[axis]!)) as unknown as Vec3,
    maximum: maximum.map((last, axis) => Math.min(grid.size[axis]! - 1, last + by[axis]!)) as unknown as Vec3,
  };
}

/** A mask of the whole grid that is 0 but for `part`, which has its first voxel at `first`. */
export function placeMask(part: Mask, first: Vec3, { size, spacing, origin, direction }: Grid): Mask {
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  const [width, height, depth] = part.size;
  for (let z = 0, from = 0; z < depth; z++) {
    for (let y = 0; y < height; y++, from += width) {
      const to = first[0] + size[0] * (first[1] + y + size[1] * (first[2] + z));
      data.set(part.data.subarray(from, from + width), to);
    }
  }
  return { data, size, spacing, origin, direction };
}

/** The voxel that a point in mm lies in, or null beyond the grid. */
export function voxelAt(grid: Grid, mm: Vec3): Vec3 | null {
  const index = physicalToIndex(grid, mm).map(Math.round) as unknown as Vec3;
  return index.every((v, axis) => v >= 0 && v < grid.size[axis]!) ? index : null;
}
