import { expect, test } from 'vitest';
import { cubicWeights, resizeBicubic } from './position-embedding.js';

test('the cubic weights of torch (a = -0.75) and of Keys (a = -0.5) at t = 0.25', () => {
  expect(cubicWeights(0.25)).toEqual([-0.10546875, 0.87890625, 0.26171875, -0.03515625]);
  expect(cubicWeights(0.25, -0.5)).toEqual([-0.0703125, 0.8671875, 0.2265625, -0.0234375]);
});

test('the same size changes nothing, a constant grid stays constant, rows and columns are told apart', () => {
  const grid = Float32Array.from({ length: 3 * 3 * 2 }, (_, index) => Math.sin(index));
  expect(resizeBicubic(grid, 3, 3, 3, 2)).toEqual(grid);
  const constant = resizeBicubic(new Float32Array(9).fill(0.5), 3, 4, 5, 1);
  expect(constant).toHaveLength(20);
  expect(constant.every((value) => Math.abs(value - 0.5) < 1e-7)).toBe(true);
  const rising = resizeBicubic(Float32Array.from([0, 0, 1, 1]), 2, 4, 3, 1); // rises from row to row
  expect(rising.slice(0, 3).every((value) => value === rising[0])).toBe(true);
  expect(rising[9]!).toBeGreaterThan(rising[0]!);
});
