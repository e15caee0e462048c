import {
  GRID_TOLERANCE_MM,
  type Grid,
  indexToPhysical,
  physicalToIndex,
  type Vec3,
} from '@onco-response/volume';
import type { SegFrame, Segmentation } from './dicom-seg-frames.js';
import { fail } from './dicom-seg-object.js';
import { cross, directionOf, dot } from './dicom-slice.js';
import { MAX_SEG_SLICES, MAX_SEG_VOXELS } from './limits.js';

/** Frames nearer than this lie in the same plane. */
const SAME_PLANE_MM = 1e-2;

/** As in dicom-stack: positions rounded to 0.1 mm lie 0.05 mm off; thick slices may be 2 % of a step off. */
const POSITION_TOLERANCE_MM = 0.051;
const POSITION_TOLERANCE_STEPS = 0.02;

const ORIENTATION_TOLERANCE = 1e-4;

/** Where a frame's pixel (column, row) lies among the voxels: `start + column * alongColumns + row * alongRows`. */
export interface Placement {
  readonly start: number;
  readonly alongColumns: number;
  readonly alongRows: number;
}

/**
 * The grid that the frames span. Empty planes need not be stored, so the distance of slices is SpacingBetweenSlices
 * where all gaps are multiples of it, else the smallest gap. `deviation` is how far a frame lies off its slice (mm).
 * @throws ImagingError MIXED_ORIENTATION, MISSING_SLICES (uneven), GRID_MISMATCH (side by side), TOO_LARGE
 */
export function spannedGrid(segmentation: Segmentation, file: string): { grid: Grid; deviation: number } {
  const { frames, rows, columns } = segmentation;
  const first = frames[0]!;
  const normal = cross(first.row, first.column);
  for (const frame of frames) {
    if (!alike(frame, first)) {
      fail('MIXED_ORIENTATION', `${file} has frames of several orientations or pixel spacings`);
    }
  }
  const sorted = [...frames].sort((a, b) => dot(a.position, normal) - dot(b.position, normal));
  const origin = sorted[0]!.position;
  const heights = sorted.map(({ position }) => dot(position, normal) - dot(origin, normal));
  const planes = heights.filter((height, at) => at === 0 || height - heights[at - 1]! > SAME_PLANE_MM);
  const { step, slices } = stepOf(planes, first, file);
  if (slices > MAX_SEG_SLICES || slices * rows * columns > MAX_SEG_VOXELS) {
    fail('TOO_LARGE', `${file} has frames ${planes.at(-1)!.toFixed(0)} mm apart, ${slices} slices`);
  }
  const grid: Grid = {
    size: [columns, rows, slices],
    spacing: [first.spacing[0], first.spacing[1], step],
    origin,
    direction: directionOf(first.row, first.column, normal),
  };
  let deviation = 0;
  for (const [at, { position }] of sorted.entries()) {
    deviation = Math.max(
      deviation,
      distance(position, indexToPhysical(grid, [0, 0, Math.round(heights[at]! / step)])),
    );
  }
  if (deviation > 2 * Math.max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_STEPS * step)) {
    fail('GRID_MISMATCH', `${file} has frames that do not lie above each other: give the image as { like }`);
  }
  return { grid, deviation };
}

/** The distance of slices and their number, from the heights of the planes that hold frames. */
function stepOf(planes: readonly number[], first: SegFrame, file: string): { step: number; slices: number } {
  const positive = (value: number | undefined): value is number =>
    value !== undefined && Number.isFinite(value) && value > 0;
  const said = [first.step, first.thickness].find(positive);
  if (planes.length === 1) return { step: said ?? 1, slices: 1 };
  const gaps = planes.slice(1).map((height, at) => height - planes[at]!);
  // no spread: a hostile file has more frames than a call may have arguments
  const smallest = gaps.reduce((a, b) => Math.min(a, b));
  const widest = gaps.reduce((a, b) => Math.max(a, b));
  for (const step of [first.step, smallest].filter(positive)) {
    const tolerance = Math.max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_STEPS * step);
    // gap by gap: the rounding of the step would add up over many slices
    const steps = gaps.reduce((sum, gap) => sum + Math.round(gap / step), 0);
    const fitted = planes.at(-1)! / steps;
    let at = 0;
    const even = gaps.every((gap, index) => {
      const count = Math.round(gap / step);
      at += count;
      return count >= 1 && Math.abs(planes[index + 1]! - at * fitted) <= tolerance;
    });
    if (even) return { step: fitted, slices: steps + 1 };
  }
  return fail(
    'MISSING_SLICES',
    `${file} has frames that are not evenly spaced (${smallest.toFixed(3)} to ${widest.toFixed(3)} mm apart): give the image as { like }`,
  );
}

/**
 * Where a frame lies in a grid; undefined where a pixel centre is no voxel centre to `tolerance` (mm) or lies outside.
 * The grid's axes may run in any order and direction.
 */
export function placeFrame(
  frame: SegFrame,
  { rows, columns }: Pick<Segmentation, 'rows' | 'columns'>,
  grid: Grid,
  tolerance = GRID_TOLERANCE_MM,
): Placement | undefined {
  const at = (column: number, row: number): Vec3 =>
    [0, 1, 2].map(
      (axis) =>
        frame.position[axis]! +
        column * frame.spacing[0] * frame.row[axis]! +
        row * frame.spacing[1] * frame.column[axis]!,
    ) as unknown as Vec3;
  const corners = [at(0, 0), at(columns - 1, 0), at(0, rows - 1), at(columns - 1, rows - 1)];
  const voxels = corners.map((corner) => physicalToIndex(grid, corner).map(Math.round) as unknown as Vec3);
  for (const [which, voxel] of voxels.entries()) {
    if (voxel.some((index, axis) => !(index >= 0 && index < grid.size[axis]!))) return undefined;
    if (!(distance(corners[which]!, indexToPhysical(grid, voxel)) <= tolerance)) return undefined;
  }
  const strides = [1, grid.size[0], grid.size[0] * grid.size[1]];
  /** The stride of the one axis along which `steps` pixels are as many voxels. */
  const stride = (end: Vec3, steps: number): number | undefined => {
    if (steps === 0) return 0;
    const moved = end.map((index, axis) => index - voxels[0]![axis]!);
    const axis = moved.findIndex((count) => count !== 0);
    if (axis < 0 || Math.abs(moved[axis]!) !== steps) return undefined;
    if (moved.some((count, other) => other !== axis && count !== 0)) return undefined;
    return Math.sign(moved[axis]!) * strides[axis]!;
  };
  const alongColumns = stride(voxels[1]!, columns - 1);
  const alongRows = stride(voxels[2]!, rows - 1);
  if (alongColumns === undefined || alongRows === undefined) return undefined;
  const start = voxels[0]!.reduce((sum, index, axis) => sum + index * strides[axis]!, 0);
  return { start, alongColumns, alongRows };
}

function alike(a: SegFrame, b: SegFrame): boolean {
  return [0, 1, 2].every(
    (axis) =>
      Math.abs(a.row[axis]! - b.row[axis]!) <= ORIENTATION_TOLERANCE &&
      Math.abs(a.column[axis]! - b.column[axis]!) <= ORIENTATION_TOLERANCE &&
      Math.abs(a.spacing[axis % 2]! - b.spacing[axis % 2]!) <= 1e-4 * b.spacing[axis % 2]!,
  );
}

function distance(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
