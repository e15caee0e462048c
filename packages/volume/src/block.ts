import type { Grid, Vec3, VoxelArray } from './types.js';

/** A box of voxels of a grid: its first voxel and how many it has along each axis. */
export interface Region {
  readonly start: Vec3;
  readonly size: Vec3;
}

/** An array that holds one region of a larger grid's voxels. */
export interface Block<T extends VoxelArray = VoxelArray> extends Region {
  readonly data: T;
}

export const voxelCount = ({ size }: Region): number => size[0] * size[1] * size[2];

export const wholeRegion = ({ size }: Pick<Grid, 'size'>): Region => ({ start: [0, 0, 0], size });

/** Where a voxel of the grid stands in a block that holds it. */
export function offsetIn({ start, size }: Region, x: number, y: number, z: number): number {
  return x - start[0] + size[0] * (y - start[1] + size[1] * (z - start[2]));
}

/** Copies the voxels of a region that both blocks hold, in the longest runs that lie in one piece in both. */
export function copyRegion(from: Block, to: Block, { start, size }: Region): void {
  const fullRows = size[0] === from.size[0] && size[0] === to.size[0];
  const fullPlanes = fullRows && size[1] === from.size[1] && size[1] === to.size[1];
  const run = fullPlanes ? size[0] * size[1] * size[2] : fullRows ? size[0] * size[1] : size[0];
  for (let z = start[2]; z < start[2] + (fullPlanes ? 1 : size[2]); z++) {
    for (let y = start[1]; y < start[1] + (fullRows ? 1 : size[1]); y++) {
      const at = offsetIn(from, start[0], y, z);
      to.data.set(from.data.subarray(at, at + run), offsetIn(to, start[0], y, z));
    }
  }
}

/** The region cut in two halves along an axis. */
export function halve({ start, size }: Region, axis: 0 | 1 | 2): [Region, Region] {
  const first = Math.floor(size[axis] / 2);
  const change = (v: Vec3, to: number): Vec3 => v.map((n, at) => (at === axis ? to : n)) as unknown as Vec3;
  return [
    { start, size: change(size, first) },
    { start: change(start, start[axis] + first), size: change(size, size[axis] - first) },
  ];
}
