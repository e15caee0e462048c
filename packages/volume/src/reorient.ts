import { checkGrid, checkVolume } from './check-volume.js';
import { emptyLike } from './create-volume.js';
import { indexToPhysical } from './geometry.js';
import type { Grid, Mat3, Vec3, Volume, VoxelArray } from './types.js';
import { VolumeError } from './volume-error.js';

const PERMUTATIONS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
const POSITIVE = 'LPS';
const NEGATIVE = 'RAI';

/** For each patient axis (x, y, z), the voxel axis that runs along it most and its sign. */
function axesOf(direction: Mat3): { axis: number; sign: number }[] {
  const alignment = (p: readonly number[]): number =>
    Math.abs(direction[p[0]!]!) + Math.abs(direction[3 + p[1]!]!) + Math.abs(direction[6 + p[2]!]!);
  let best: readonly number[] = PERMUTATIONS[0];
  for (const candidate of PERMUTATIONS) if (alignment(candidate) > alignment(best) + 1e-9) best = candidate;
  return best.map((axis, patient) => ({ axis, sign: direction[3 * patient + axis]! < 0 ? -1 : 1 }));
}

/**
 * Where the voxel axes run, as three letters: 'LPS' means x to the left, y to the back (posterior), z to the head.
 * @example
 * orientationOf(volume); // 'PIR'
 */
export function orientationOf(grid: Grid): string {
  const letters = ['', '', ''];
  axesOf(grid.direction).forEach(({ axis, sign }, patient) => {
    letters[axis] = (sign > 0 ? POSITIVE : NEGATIVE)[patient]!;
  });
  return letters.join('');
}

/** How each new axis runs through the given voxels. */
interface AxisPlan {
  readonly grid: Grid;
  readonly axes: readonly { readonly axis: number; readonly flip: boolean }[];
  /** Given index of the new first voxel. */
  readonly corner: Vec3;
}

function planAxes(given: Grid, orientation: string): AxisPlan {
  const axes = axesOf(given.direction);
  const wanted = [...String(orientation)].map((letter) => {
    const patient = Math.max(POSITIVE.indexOf(letter), NEGATIVE.indexOf(letter));
    return {
      patient,
      axis: axes[patient]?.axis ?? -1,
      flip: POSITIVE.includes(letter) !== (axes[patient]?.sign === 1),
    };
  });
  if (
    wanted.length !== 3 ||
    new Set(wanted.map((w) => w.patient)).size !== 3 ||
    wanted.some((w) => w.axis < 0)
  ) {
    throw new VolumeError({
      code: 'INVALID_ARGUMENT',
      message: `an orientation is three letters such as 'LPS' or 'RAS', one of each pair L/R, P/A, S/I; found ${JSON.stringify(orientation)}`,
    });
  }
  const { size, spacing, direction } = given;
  const corner: [number, number, number] = [0, 0, 0];
  for (const w of wanted) if (w.flip) corner[w.axis] = size[w.axis]! - 1;
  // + 0 turns -0, which prints and compares badly, into 0
  const columns = [0, 1, 2].flatMap((row) =>
    wanted.map((w) => (w.flip ? -1 : 1) * direction[3 * row + w.axis]! + 0),
  );
  const grid = {
    size: wanted.map((w) => size[w.axis]!) as unknown as Vec3,
    spacing: wanted.map((w) => spacing[w.axis]!) as unknown as Vec3,
    origin: indexToPhysical(given, corner),
    direction: columns as unknown as Mat3,
  };
  return { grid, axes: wanted, corner };
}

/**
 * The grid that `reorient` gives, without voxels.
 * @throws VolumeError INVALID_ARGUMENT as `reorient`
 * @example
 * reorientGrid(volume, 'LPS').size;
 */
export function reorientGrid(grid: Grid, orientation: string): Grid {
  checkGrid(grid, 'grid');
  return planAxes(grid, orientation).grid;
}

/**
 * Permutes and flips the voxel axes so that they run most nearly towards the named sides ('LPS': direction nearest
 * identity, as SimpleITK's DICOMOrient). No value is interpolated and every voxel keeps its place in space.
 * @throws VolumeError INVALID_ARGUMENT for anything but three letters, one each of L/R, P/A and S/I
 * @example
 * const axial = reorient(volume, 'LPS');
 */
export function reorient<T extends VoxelArray>(volume: Volume<T>, orientation: string): Volume<T> {
  checkVolume(volume);
  const { grid, axes, corner } = planAxes(volume, orientation);
  const { data, size } = volume;
  const strides = [1, size[0], size[0] * size[1]];
  const [dx, dy, dz] = axes.map(({ axis, flip }) => (flip ? -1 : 1) * strides[axis]!) as [
    number,
    number,
    number,
  ];
  const start = corner[0] + strides[1]! * corner[1] + strides[2]! * corner[2];
  const result = emptyLike(data, data.length);
  for (let z = 0, target = 0; z < grid.size[2]; z++) {
    for (let y = 0; y < grid.size[1]; y++) {
      let source = start + y * dy + z * dz;
      for (let x = 0; x < grid.size[0]; x++, source += dx) result[target++] = data[source]!;
    }
  }
  return { data: result, ...grid };
}
