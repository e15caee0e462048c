import type { RandomStream } from '@onco-response/engine';
import type { Shape3 } from './array-shape.js';
import type { PatchTransform } from './patch-transform.js';
import { foregroundLocations, type TrainingCase } from './training-case.js';

/** A patch of the network's size. */
export interface TrainingPatch {
  /** [d, h, w, channels] */
  readonly image: Float32Array;
  /** [d, h, w] */
  readonly labels: Uint8Array;
}

/**
 * Where a patch starts, as nnU-Net's loader draws it: anywhere within the image, or around a voxel of a random label that
 * the case has. An image smaller than the patch lies in its middle or, with a lesion asked for, around the lesion.
 */
export function drawPatchStart(
  current: TrainingCase,
  patch: Shape3,
  needsForeground: boolean,
  random: RandomStream,
): Shape3 {
  const { shape } = current;
  const missing = shape.map((size, axis) => Math.max(0, patch[axis]! - size));
  const lowest = missing.map((voxels) => -Math.ceil(voxels / 2));
  const highest = shape.map((size, axis) => size + Math.ceil(missing[axis]! / 2) - patch[axis]!);
  const locations = needsForeground ? foregroundLocations(current) : [];
  if (locations.length === 0) {
    return lowest.map((low, axis) => low + random.integer(highest[axis]! - low + 1)) as unknown as Shape3;
  }
  const ofLabel = locations[random.integer(locations.length)]!;
  const voxel = ofLabel[random.integer(ofLabel.length)]!;
  const place = [
    Math.floor(voxel / (shape[1] * shape[2])),
    Math.floor(voxel / shape[2]) % shape[1],
    voxel % shape[2],
  ];
  return place.map((at, axis) =>
    Math.max(lowest[axis]!, at - Math.floor(patch[axis]! / 2)),
  ) as unknown as Shape3;
}

/** The patch that starts there, 0 outside of the image; turned and scaled about its middle where a transform is given. */
export function cutPatch(
  current: TrainingCase,
  start: Shape3,
  patch: Shape3,
  transform: PatchTransform | undefined,
): TrainingPatch {
  return transform ? cutTurned(current, start, patch, transform) : cutStraight(current, start, patch);
}

function cutStraight({ shape, channels, labels }: TrainingCase, start: Shape3, patch: Shape3): TrainingPatch {
  const [image, cut] = emptyPatch(patch, channels.length);
  for (let i = 0; i < patch[0]; i++) {
    const z = start[0] + i;
    if (z < 0 || z >= shape[0]) continue;
    for (let j = 0; j < patch[1]; j++) {
      const y = start[1] + j;
      if (y < 0 || y >= shape[1]) continue;
      for (let k = Math.max(0, -start[2]); k < Math.min(patch[2], shape[2] - start[2]); k++) {
        const from = (z * shape[1] + y) * shape[2] + start[2] + k;
        const to = (i * patch[1] + j) * patch[2] + k;
        cut[to] = labels[from]!;
        for (const [index, channel] of channels.entries())
          image[to * channels.length + index] = channel[from]!;
      }
    }
  }
  return { image, labels: cut };
}

/** Linear between voxels; of the labels around a point the one of most weight wins. */
function cutTurned(
  { shape, channels, labels }: TrainingCase,
  start: Shape3,
  patch: Shape3,
  { matrix }: PatchTransform,
): TrainingPatch {
  const [image, cut] = emptyPatch(patch, channels.length);
  const [depth, height, width] = shape;
  const middle = patch.map((side) => (side - 1) / 2) as unknown as Shape3;
  const votes = new Float64Array(256);
  let to = 0;
  for (let i = 0; i < patch[0]; i++) {
    for (let j = 0; j < patch[1]; j++) {
      for (let k = 0; k < patch[2]; k++, to++) {
        const [a, b, c] = [i - middle[0], j - middle[1], k - middle[2]];
        const z = start[0] + middle[0] + matrix[0] * a + matrix[1] * b + matrix[2] * c;
        const y = start[1] + middle[1] + matrix[3] * a + matrix[4] * b + matrix[5] * c;
        const x = start[2] + middle[2] + matrix[6] * a + matrix[7] * b + matrix[8] * c;
        if (z <= -1 || y <= -1 || x <= -1 || z >= depth || y >= height || x >= width) continue;
        const [z0, y0, x0] = [Math.floor(z), Math.floor(y), Math.floor(x)];
        const [inZ, inY, inX] = [z - z0, y - y0, x - x0];
        let [best, most] = [0, 0];
        for (let corner = 0; corner < 8; corner++) {
          const [up, down, right] = [corner >> 2, (corner >> 1) & 1, corner & 1];
          const weight = (up ? inZ : 1 - inZ) * (down ? inY : 1 - inY) * (right ? inX : 1 - inX);
          const [cz, cy, cx] = [z0 + up, y0 + down, x0 + right];
          const outside = cz < 0 || cy < 0 || cx < 0 || cz >= depth || cy >= height || cx >= width;
          if (weight === 0 || outside) continue;
          const from = (cz * height + cy) * width + cx;
          const label = labels[from]!;
          votes[label]! += weight;
          if (votes[label]! > most) [best, most] = [label, votes[label]!];
          for (let index = 0; index < channels.length; index++) {
            image[to * channels.length + index]! += weight * channels[index]![from]!;
          }
        }
        cut[to] = most > 0.5 ? best : 0;
        votes.fill(0);
      }
    }
  }
  return { image, labels: cut };
}

const emptyPatch = (patch: Shape3, channels: number): [Float32Array, Uint8Array] => {
  const voxels = patch[0] * patch[1] * patch[2];
  return [new Float32Array(voxels * channels), new Uint8Array(voxels)];
};
