import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type PlaneCut, resizeNearest, smoothResizer } from './resize-plane.js';

const golden = JSON.parse(readFileSync(new URL('./__fixtures__/resize.json', import.meta.url), 'utf8')) as {
  plane: number[];
  resized: Record<string, number[]>;
};
const whole: PlaneCut = { width: 12, height: 12, left: 0, top: 0, across: 12, down: 12 };

test.each(Object.keys(golden.resized).map(Number))(
  '12 x 12 to %d equals torch interpolate with antialias',
  (size) => {
    const resized = smoothResizer(whole, size)(golden.plane);
    golden.resized[size]!.forEach((v, at) => {
      expect(Math.abs(v - resized[at]!)).toBeLessThan(1e-6); // float32 result
    });
  },
);

test('a constant stays constant for any cut, a ramp stays a ramp', () => {
  const cut: PlaneCut = { width: 12, height: 12, left: 1.3, top: 2.6, across: 7.7, down: 6.1 };
  expect(new Set(smoothResizer(cut, 9)(new Array(144).fill(0.5)))).toEqual(new Set([0.5]));
  const ramp = smoothResizer(cut, 9)(Array.from({ length: 144 }, (_, at) => (at % 12) + 0.5));
  for (let x = 0; x < 9; x++) expect(ramp[x]).toBeCloseTo(1.3 + ((x + 0.5) * 7.7) / 9, 5);
});

test('nearest takes the voxel a pixel centre lies in, and 0 beyond the plane', () => {
  const plane = [0, 5, 0, 0, 5, 5, 0, 0, 0];
  const cut: PlaneCut = { width: 3, height: 3, left: -1, top: 0, across: 4, down: 3 };
  expect([...resizeNearest(plane, cut, 4)]).toEqual([0, 0, 5, 0, 0, 0, 5, 5, 0, 0, 5, 5, 0, 0, 0, 0]);
});
