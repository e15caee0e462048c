import type { Vec3 } from '@onco-response/volume';

/**
 * Three sizes in the order in which nnU-Net keeps an image: the first axis varies slowest. A volume of [x, y, z] voxels
 * is an array [z, y, x] over the same memory.
 */
export type Shape3 = readonly [number, number, number];

export const countOf = (shape: readonly number[]): number => shape.reduce((count, size) => count * size, 1);

export const sameShape = (a: Shape3, b: Shape3): boolean => a.every((size, axis) => size === b[axis]);

/** The numbers of the given axes, in their order. */
export const permuted = <T>(values: readonly T[], axes: readonly number[]): [T, T, T] =>
  axes.map((axis) => values[axis]!) as [T, T, T];

export const reversed = (values: Vec3): Shape3 => [values[2], values[1], values[0]];

/** Steps in memory along each axis of a dense array. */
export const stridesOf = (shape: Shape3): Shape3 => [shape[1] * shape[2], shape[2], 1];

/** Python's round: of two equally near whole numbers the even one. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** Part of an array with its axes in another order, as float32: `box` is [start, end) along each of the new axes. */
export function gather(
  data: ArrayLike<number>,
  strides: Shape3,
  box: readonly (readonly [number, number])[],
): Float32Array {
  const [z, y, x] = box as [readonly [number, number], readonly [number, number], readonly [number, number]];
  const gathered = new Float32Array((z[1] - z[0]) * (y[1] - y[0]) * (x[1] - x[0]));
  let to = 0;
  for (let i = z[0]; i < z[1]; i++) {
    for (let j = y[0]; j < y[1]; j++) {
      let from = i * strides[0] + j * strides[1] + x[0] * strides[2];
      for (let k = x[0]; k < x[1]; k++, from += strides[2]) gathered[to++] = data[from]!;
    }
  }
  return gathered;
}
