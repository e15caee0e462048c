import { fillHoles, IDENTITY } from '@onco-response/volume';
import type { Shape3 } from './array-shape.js';

/** [start, end) along each axis. */
export type Range3 = readonly [
  readonly [number, number],
  readonly [number, number],
  readonly [number, number],
];

/**
 * The smallest box with every voxel at which any channel is not 0: what nnU-Net crops to. Channels that are 0 everywhere
 * have no such box, and are taken whole.
 */
export function nonzeroBox(channels: readonly ArrayLike<number>[], [depth, height, width]: Shape3): Range3 {
  const [low, high] = [
    [depth, height, width],
    [-1, -1, -1],
  ];
  const occupied = (row: number): [number, number] | undefined => {
    let [first, last] = [width, -1];
    for (const channel of channels) {
      for (let x = 0; x < first; x++) if (channel[row + x] !== 0) first = x;
      for (let x = width - 1; x > last; x--) if (channel[row + x] !== 0) last = x;
    }
    return last < 0 ? undefined : [first, last];
  };
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const run = occupied((z * height + y) * width);
      if (!run) continue;
      for (const [axis, first, last] of [
        [0, z, z],
        [1, y, y],
        [2, ...run],
      ] as const) {
        if (first < low[axis]!) low[axis] = first;
        if (last > high[axis]!) high[axis] = last;
      }
    }
  }
  if (high[0]! < 0) {
    return [
      [0, depth],
      [0, height],
      [0, width],
    ];
  }
  return [0, 1, 2].map((axis) => [low[axis]!, high[axis]! + 1]) as unknown as Range3;
}

/** 1 where any channel is not 0, or where a hole of zeros in it is: nnU-Net's `create_nonzero_mask`. */
export function insideMask(channels: readonly Float32Array[], [depth, height, width]: Shape3): Uint8Array {
  const data = new Uint8Array(depth * height * width);
  for (const channel of channels) {
    for (let at = 0; at < data.length; at++) if (channel[at] !== 0) data[at] = 1;
  }
  if (!data.includes(0)) return data;
  const mask = { data, size: [width, height, depth], spacing: [1, 1, 1], origin: [0, 0, 0] } as const;
  return fillHoles({ ...mask, direction: IDENTITY }).data;
}
