import { boundingBox } from './bounding-box.js';
import { checkVolume } from './check-volume.js';
import { emptyLike } from './create-volume.js';
import { crop } from './crop.js';
import { pad } from './pad.js';
import type { Vec3, Volume, VoxelArray } from './types.js';
import { VolumeError } from './volume-error.js';

/** States of a voxel while the background is walked. */
const [UNSEEN, WALL, OUTSIDE, HOLE] = [0, 1, 2, 3];

/**
 * The mask with its holes filled: background that cannot be left without crossing the mask. Background at the image's
 * edge is outside, so that a cavity open there stays. `connectivity` is that of the background: 6 (faces, the default,
 * as scipy.ndimage.binary_fill_holes) or 26 (a hole that is open at an edge or corner leaks). With `perSlice` each
 * plane across that axis (2: the x-y planes) is filled on its own, over 4 or 8 neighbours: it also closes tunnels.
 *
 * Labels stay as they are, and all of them are walls. A hole gets the label that most of its faces touch, of equal ones
 * the smallest.
 * @throws VolumeError INVALID_ARGUMENT for another connectivity or axis
 * @example
 * const solid = fillHoles(lesion);
 * const drawn = fillHoles(contours, { perSlice: 2 });
 */
export function fillHoles<T extends VoxelArray>(
  mask: Volume<T>,
  {
    connectivity = 6,
    perSlice,
  }: { connectivity?: 6 | 26 | undefined; perSlice?: 0 | 1 | 2 | undefined } = {},
): Volume<T> {
  checkVolume(mask, 'mask');
  if (connectivity !== 6 && connectivity !== 26)
    refuse(`connectivity has to be 6 or 26, found ${connectivity}`);
  if (perSlice !== undefined && ![0, 1, 2].includes(perSlice)) {
    refuse(`perSlice has to be an axis, 0, 1 or 2, found ${perSlice}`);
  }
  const filled = { ...mask, data: emptyLike(mask.data, mask.data.length) };
  filled.data.set(mask.data);
  const box = boundingBox(mask);
  if (box === null) return filled;

  // a layer of background around the box is outside, and makes checks for its edges needless
  const part = pad(crop(mask, box), { before: [1, 1, 1] });
  const state = new Uint8Array(part.data.length).fill(WALL); // `from` with a function is many times slower
  for (let at = 0; at < state.length; at++) if (part.data[at] === 0) state[at] = UNSEEN;
  const strides: Vec3 = [1, part.size[0], part.size[0] * part.size[1]];
  const steps = neighbourSteps(strides, connectivity, perSlice);
  const faces = neighbourSteps(strides, 6, perSlice);
  const corners = perSlice === undefined ? 1 : part.size[perSlice];
  for (let plane = 0; plane < corners; plane++) {
    walk(state, plane * (perSlice === undefined ? 0 : strides[perSlice]), steps, OUTSIDE);
  }
  for (let start = state.indexOf(UNSEEN); start >= 0; start = state.indexOf(UNSEEN, start)) {
    const hole = walk(state, start, steps, HOLE);
    const label = labelAround(part.data, hole, faces);
    for (const at of hole) part.data[at] = label;
  }

  const [width, height, depth] = part.size;
  for (let z = 1; z < depth - 1; z++) {
    for (let y = 1; y < height - 1; y++) {
      const from = width * (y + height * z);
      const to =
        box.minimum[0] + mask.size[0] * (box.minimum[1] + y - 1 + mask.size[1] * (box.minimum[2] + z - 1));
      filled.data.set(part.data.subarray(from + 1, from + width - 1), to);
    }
  }
  return filled;
}

/** Offsets to the neighbours over faces (6) or over faces, edges and corners (26), within a slice's plane if given. */
function neighbourSteps(strides: Vec3, connectivity: 6 | 26, perSlice: number | undefined): number[] {
  const along = (axis: number): number[] => (axis === perSlice ? [0] : [-1, 0, 1]);
  return along(2)
    .flatMap((z) => along(1).flatMap((y) => along(0).map((x) => [x, y, z])))
    .filter((step) => {
      const moves = step.filter((n) => n !== 0).length;
      return connectivity === 6 ? moves === 1 : moves > 0;
    })
    .map((step) => step.reduce((sum, n, axis) => sum + n * strides[axis]!, 0));
}

/** Marks all unseen voxels that can be reached; gives them. Beyond an edge the walk only meets the outer layer again. */
function walk(state: Uint8Array, start: number, steps: readonly number[], mark: number): number[] {
  const reached = [start];
  state[start] = mark;
  for (let next = 0; next < reached.length; next++) {
    for (const step of steps) {
      const at = reached[next]! + step;
      if (state[at] !== UNSEEN) continue;
      state[at] = mark;
      reached.push(at);
    }
  }
  return reached;
}

function labelAround(labels: VoxelArray, hole: readonly number[], faces: readonly number[]): number {
  const touched = new Map<number, number>();
  for (const at of hole) {
    for (const step of faces) {
      const label = labels[at + step]!;
      if (label !== 0) touched.set(label, (touched.get(label) ?? 0) + 1);
    }
  }
  const [first] = [...touched].sort(([a, m], [b, n]) => n - m || a - b);
  return first![0];
}

function refuse(message: string): never {
  throw new VolumeError({ code: 'INVALID_ARGUMENT', message });
}
