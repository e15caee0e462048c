import * as tf from '@tensorflow/tfjs-core';

/** One position for the class token, then a square grid of positions, row by row. */
export interface PositionEmbedding {
  /** [1 + side * side, E] */
  readonly table: Float32Array;
  readonly side: number;
  readonly width: number;
  /** Resized tables by "rows x columns": a run uses one or two sizes over and over. */
  readonly resized: Map<string, Float32Array>;
}

/** The position of the class token and of each patch of a rows x columns grid: [1 + rows * columns, E]. */
export function positionEmbedding(positions: PositionEmbedding, rows: number, columns: number): tf.Tensor2D {
  const { table, side, width, resized } = positions;
  const key = `${rows} x ${columns}`;
  let values = rows === side && columns === side ? table : resized.get(key);
  if (!values) {
    values = new Float32Array((1 + rows * columns) * width);
    values.set(table.subarray(0, width));
    values.set(resizeBicubic(table.subarray(width), side, rows, columns, width), width);
    resized.set(key, values);
  }
  return tf.tensor2d(values, [1 + rows * columns, width]);
}

/**
 * Bicubic resizing of a [side, side, channels] grid as `torch.nn.functional.interpolate(mode='bicubic',
 * align_corners=False)` does it: a = -0.75, coordinates scaled by the sizes, edges clamped, no antialiasing. That is what
 * Hugging Face computes for DINOv2 and ViT (the original DINOv2 code scales by (rows + 0.1) / side instead).
 */
export function resizeBicubic(
  grid: Float32Array,
  side: number,
  rows: number,
  columns: number,
  channels: number,
): Float32Array {
  const across = new Float64Array(side * columns * channels); // [side, columns, channels]
  for (let column = 0; column < columns; column++) {
    for (const { index, weight } of taps(column, side, columns)) {
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
    for (const { index, weight } of taps(row, side, rows)) {
      for (let at = 0; at < line; at++) down[row * line + at]! += weight * across[index * line + at]!;
    }
  }
  return Float32Array.from(down);
}

/** The four source places of one output place, and their weights. */
function taps(position: number, from: number, to: number): { index: number; weight: number }[] {
  const source = ((position + 0.5) * from) / to - 0.5;
  const start = Math.floor(source);
  return cubicWeights(source - start).map((weight, tap) => ({
    index: Math.min(Math.max(start - 1 + tap, 0), from - 1),
    weight,
  }));
}

/** Keys' cubic convolution kernel at distances 1 + t, t, 1 - t, 2 - t. */
export function cubicWeights(t: number, a = -0.75): [number, number, number, number] {
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}
