import type { Shape3 } from './array-shape.js';
import { gaussianWeights } from './gaussian-weights.js';
import { tileSteps } from './tile-steps.js';
import { TileSum } from './tile-sum.js';

/** Gives the logits [d, h, w, classes] of a tile [d, h, w, channels]. */
export type TilePredictor = (tile: Float32Array) => Promise<Float32Array>;

/** One channel of the network's input. */
export type InputChannel =
  | Float32Array
  /** 1 where the labels are `label`: made tile by tile, so that a cascade's channels take no memory. */
  | { readonly labels: Int16Array; readonly label: number };

export interface SlidingWindow {
  readonly channels: readonly InputChannel[];
  readonly shape: Shape3;
  /** Of a tile. A 2D network's tiles are 1 deep. */
  readonly tile: Shape3;
  readonly dimensions: 2 | 3;
  readonly classes: number;
  /** One a fold. */
  readonly networks: readonly TilePredictor[];
  /** Tiles are at most this part of a tile apart. */
  readonly step: number;
  /** All networks add to one sum: less memory, results that differ by float16's rounding. */
  readonly shareSum: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onTile?: ((done: number, total: number) => void) | undefined;
  /** Gets the mean logits [h, w, classes] of each plane, in order. */
  onPlane(z: number, logits: Float32Array): void;
}

/**
 * nnU-Net's `predict_sliding_window_return_logits`: overlapping tiles, weighted by a Gaussian; an image smaller than a
 * tile is padded with 0 all around. Planes are handed on as soon as no later tile reaches them.
 */
export async function slideWindow(window: SlidingWindow): Promise<void> {
  const { shape, tile, classes, networks, channels } = window;
  const { padded, before, steps } = tileGrid(shape, tile, window.dimensions, window.step);
  const [alongZ, alongY, alongX] = steps;
  const gaussian = gaussianWeights(window.dimensions === 2 ? tile.slice(1) : tile);
  const folds = networks.length;
  const sums = window.shareSum ? 1 : folds;
  const sum = new TileSum(tile[0], padded[1], padded[2], classes, sums, folds / sums);
  const total = alongZ.length * alongY.length * alongX.length;
  const inPlane = [1, 2].map((axis) => [before[axis]!, before[axis]! + shape[axis]!] as const);
  let done = 0;
  for (const [index, z] of alongZ.entries()) {
    for (const y of alongY) {
      for (const x of alongX) {
        window.signal?.throwIfAborted();
        const input = cutTile(channels, shape, tile, [z - before[0], y - before[1], x - before[2]]);
        for (const [fold, predict] of networks.entries()) {
          sum.add(sum.sumOf(fold), await predict(input), gaussian, tile, [z, y, x]);
        }
        sum.addWeights(gaussian, tile, [z, y, x]);
        window.onTile?.(++done, total);
      }
    }
    const reached = alongZ[index + 1] ?? padded[0];
    for (let plane = z; plane < reached; plane++) {
      const logits = sum.take(
        plane,
        inPlane as [readonly [number, number], readonly [number, number]],
        folds,
      );
      const inImage = plane - before[0];
      if (inImage >= 0 && inImage < shape[0]) window.onPlane(inImage, logits);
    }
  }
}

/** Where tiles lie over an image. */
export interface TileGrid {
  /** The image with what is added to reach the size of a tile, and how much of it lies before the image. */
  readonly padded: Shape3;
  readonly before: Shape3;
  /** Along each axis of the padded image, where tiles start. */
  readonly steps: readonly [number[], number[], number[]];
}

/** @param step tiles are at most this part of a tile apart */
export function tileGrid(shape: Shape3, tile: Shape3, dimensions: 2 | 3, step: number): TileGrid {
  const padded = shape.map((size, axis) => Math.max(size, tile[axis]!)) as unknown as Shape3;
  const before = padded.map((size, axis) => Math.floor((size - shape[axis]!) / 2)) as unknown as Shape3;
  const steps = padded.map((size, axis) => tileSteps(size, tile[axis]!, step));
  if (dimensions === 2) steps[0] = Array.from({ length: shape[0] }, (_, z) => z);
  return { padded, before, steps: steps as [number[], number[], number[]] };
}

/** The tile [d, h, w, channels] that starts at (z, y, x) of the image; 0 outside of it. */
export function cutTile(
  channels: readonly InputChannel[],
  shape: Shape3,
  tile: Shape3,
  [z, y, x]: Shape3,
): Float32Array {
  const [depth, height, width] = shape;
  const count = channels.length;
  const values = new Float32Array(tile[0] * tile[1] * tile[2] * count);
  const [left, right] = [Math.max(0, -x), Math.min(tile[2], width - x)];
  for (const [index, channel] of channels.entries()) {
    for (let i = Math.max(0, -z); i < Math.min(tile[0], depth - z); i++) {
      for (let j = Math.max(0, -y); j < Math.min(tile[1], height - y); j++) {
        const from = ((z + i) * height + y + j) * width + x;
        const to = (i * tile[1] + j) * tile[2] * count + index;
        if ('labels' in channel) {
          for (let k = left; k < right; k++) {
            if (channel.labels[from + k] === channel.label) values[to + k * count] = 1;
          }
        } else {
          for (let k = left; k < right; k++) values[to + k * count] = channel[from + k]!;
        }
      }
    }
  }
  return values;
}
