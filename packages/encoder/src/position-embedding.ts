import * as tf from '@tensorflow/tfjs-core';

/** A square grid of positions, row by row. Positions of class tokens are no part of it. */
export interface PositionEmbedding {
  /** [side * side, E] */
  readonly table: Float32Array;
  readonly side: number;
  readonly width: number;
  readonly resizing: Resizing;
  /** Resized tables by "rows x columns": a run uses one or two sizes over and over. */
  readonly resized: Map<string, Float32Array>;
}

/** How each reference resizes its positions: see `resizeBicubic`. */
export interface Resizing {
  readonly antialias: boolean;
  readonly offset: number;
}

/** The position of each patch of a rows x columns grid: [rows * columns, E]. */
export function positionEmbedding(positions: PositionEmbedding, rows: number, columns: number): tf.Tensor2D {
  const { table, side, width, resizing, resized } = positions;
  const key = `${rows} x ${columns}`;
  let values = rows === side && columns === side ? table : resized.get(key);
  if (!values) {
    values = resizeBicubic(table, side, rows, columns, width, resizing);
    resized.set(key, values);
  }
  return tf.tensor2d(values, [rows * columns, width]);
}

/**
 * Bicubic resizing of a [side, side, channels] grid as `torch.nn.functional.interpolate(mode='bicubic',
 * align_corners=False)` does it. Hugging Face scales by the sizes, with antialiasing for DINOv2 with registers and without
 * it for all others; the original DINOv2 code (without registers) scales by (rows + 0.1) / side.
 */
export function resizeBicubic(
  grid: Float32Array,
  side: number,
  rows: number,
  columns: number,
  channels: number,
  { antialias, offset }: Resizing = { antialias: false, offset: 0 },
): Float32Array {
  const taps = antialias ? smoothTaps : clampedTaps;
  const across = new Float64Array(side * columns * channels); // [side, columns, channels]
  for (let column = 0; column < columns; column++) {
    for (const { index, weight } of taps(column, side, columns, offset)) {
      for (let row = 0; row < side; row++) {
        const from = (row * side + index) * channels;
        const to = (row * columns + column) * channels;
        for (let channel = 0; channel < channels; channel++)
          across[to + channel]! += weight * grid[from + channel]!;
      }
    }
  }
  const line = columns * channels;
  const down = new Float64Array(rows * line); // [rows, columns, channels]
  for (let row = 0; row < rows; row++) {
    for (const { index, weight } of taps(row, side, rows, offset)) {
      for (let at = 0; at < line; at++) down[row * line + at]! += weight * across[index * line + at]!;
    }
  }
  return Float32Array.from(down);
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** The four source places of one output place, and their weights: a = -0.75, edges clamped. */
function clampedTaps(position: number, from: number, to: number, offset: number): Tap[] {
  const source = ((position + 0.5) * from) / (to + offset) - 0.5;
  const start = Math.floor(source);
  return cubicWeights(source - start).map((weight, tap) => ({
    index: Math.min(Math.max(start - 1 + tap, 0), from - 1),
    weight,
  }));
}

/** With antialiasing: a = -0.5, the kernel widened where the grid shrinks, edges cut off and the weights normalised. */
function smoothTaps(position: number, from: number, to: number): Tap[] {
  const scale = Math.max(from / to, 1);
  const centre = ((position + 0.5) * from) / to;
  const first = Math.max(Math.trunc(centre - 2 * scale + 0.5), 0);
  const last = Math.min(Math.trunc(centre + 2 * scale + 0.5), from); // exclusive
  const weights = Array.from({ length: last - first }, (_, tap) =>
    cubic(Math.abs((first + tap - centre + 0.5) / scale), -0.5),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight, tap) => ({ index: first + tap, weight: weight / sum }));
}

/** Keys' cubic convolution kernel at distances 1 + t, t, 1 - t, 2 - t. */
export function cubicWeights(t: number, a = -0.75): [number, number, number, number] {
  return [cubic(1 + t, a), cubic(t, a), cubic(1 - t, a), cubic(2 - t, a)];
}

/** Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711 */
function cubic(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
