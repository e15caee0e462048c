import { createVolume, type Vec3, type Volume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { agreement } from './agreement.js';
import { frontLeak } from './front-leak.js';
import { growLesion } from './grow-lesion.js';
import { LesionMaskError } from './lesion-mask-error.js';

const size: Vec3 = [70, 60, 24];
const spacing: Vec3 = [0.8, 0.8, 2];
const origin: Vec3 = [-20, 10, -300];
/** Lung with noise, a ball of 50 HU of radius 8 mm at (20, 24, 20) mm from the first voxel, and what `more` adds. */
function phantom(more: (x: number, y: number, z: number) => number | undefined = () => undefined): Volume {
  const data = new Int16Array(size[0] * size[1] * size[2]);
  let state = 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [x, y, z] = place(at);
    const value = inBall(at, 8) ? 50 : (more(x, y, z) ?? -850);
    data[at] = value + Math.round(30 * (state / 2 ** 32 - 0.5));
  }
  return createVolume({ data, size, spacing, origin });
}
const place = (at: number): Vec3 => [
  (at % 70) * 0.8,
  (Math.floor(at / 70) % 60) * 0.8,
  Math.floor(at / 4200) * 2,
];
const inBall = (at: number, radius: number): boolean => {
  const [x, y, z] = place(at);
  return Math.hypot(x - 20, y - 24, z - 20) <= radius;
};
const truth = createVolume({
  data: Uint8Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => (inBall(at, 8) ? 1 : 0)),
  size,
  spacing,
  origin,
});
const seed = { mm: [0, 34, -280] as Vec3 };
const line = {
  line: [
    [-7.9, 34, -280],
    [7.9, 34, -280],
  ] as [Vec3, Vec3],
};
/** A vessel of 2.4 mm along x from the ball into a heart. */
const leaky = phantom((x, y, z) =>
  x > 20 && x < 42 && Math.hypot(y - 24, z - 20) <= 1.3 ? 40 : x >= 40 ? 60 : undefined,
);
const limits = { minimum: -400, maximum: 400 };

test('a ball in lung is found voxel for voxel from a point and from a line', () => {
  const ct = phantom();
  for (const from of [seed, { voxel: [25, 30, 10] as Vec3 }])
    expect(growLesion(ct, from, { limits }).mask.data).toEqual(truth.data);
  const grown = growLesion(ct, line); // limits guessed at half the contrast
  expect(grown.limits.minimum).toBeGreaterThan(-420);
  expect(grown.limits.minimum).toBeLessThan(-380);
  expect(agreement(grown.mask, truth).dice).toBeGreaterThan(0.97);
  expect(grown.leaked).toBe(false);
  expect(grown.steps.map((step) => step.step)).toEqual(['grow', 'opening', 'fillHoles']);
  const last = grown.steps.at(-1)!;
  expect(grown.volumeMm3).toBeCloseTo(last.voxelsAfter * 0.8 * 0.8 * 2, 6);
  expect(JSON.parse(JSON.stringify(grown.steps))).toEqual(grown.steps);
});

describe('a vessel that leads into the heart', () => {
  test('without leak control all of it is taken', () => {
    const all = growLesion(leaky, seed, { limits, leak: 'report' });
    expect(agreement(all.mask, truth).dice).toBeLessThan(0.2);
    expect(all.leaked).toBe(true);
    expect(all.warnings.join()).toMatch(/shrank and grew again .* it may have leaked/);
  });
  test('the front shows the leak: the heart is cut off, the opening takes the vessel', () => {
    const cut = growLesion(leaky, seed, { limits });
    expect(cut.steps.map((step) => step.step)).toEqual(['grow', 'leak', 'fillHoles']);
    expect(agreement(cut.mask, truth).dice).toBeGreaterThan(0.9);
    const opened = growLesion(leaky, seed, { limits, openingMm: 2 });
    expect(agreement(opened.mask, truth).dice).toBeGreaterThan(0.97);
    expect(opened.leaked).toBe(true);
  });
  test('a line limits the radius by its length', () => {
    const grown = growLesion(leaky, line);
    expect(grown.radiusMm).toBeCloseTo(0.6 * 15.8, 9);
    expect(agreement(grown.mask, truth).dice).toBeGreaterThan(0.95);
  });
});

test('growth that only the radius stops says so', () => {
  const soft = createVolume({ data: new Int16Array(truth.data.length).fill(30), size, spacing, origin });
  const grown = growLesion(soft, seed, { limits, radiusMm: 10 });
  expect(grown.leaked).toBe(true);
  expect(grown.warnings).toEqual(['growth was stopped by the radius of 10.0 mm at 100 % of the surface']);
});

test('a hole is filled on request', () => {
  const hollow = phantom();
  hollow.data[25 + 70 * (30 + 60 * 11)] = -900;
  expect(growLesion(hollow, seed, { limits }).mask.data).toEqual(truth.data);
  const open = growLesion(hollow, seed, { limits, fillHoles: false }).mask.data;
  expect(open[25 + 70 * (30 + 60 * 11)]).toBe(0);
});

test('nothing at the seed is NO_LESION; bad input is refused', () => {
  const ct = phantom();
  const codeOf = (action: () => unknown): string | undefined => {
    try {
      action();
    } catch (error) {
      return LesionMaskError.isInstance(error) ? error.code : String(error);
    }
    return undefined;
  };
  expect(codeOf(() => growLesion(ct, { mm: [20, 34, -280] }, { limits }))).toBe('NO_LESION');
  expect(codeOf(() => growLesion(ct, { mm: [500, 34, -280] }, { limits }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => growLesion(ct, { voxel: [1.5, 2, 3] }, { limits }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => growLesion(ct, { line: [seed.mm, seed.mm] }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => growLesion(ct, seed, { limits: { minimum: 5, maximum: 1 } }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => growLesion(ct, seed, { radiusMm: 0 }))).toBe('INVALID_ARGUMENT');
});

test('frontLeak finds the narrowest place before the front grows again', () => {
  expect(frontLeak([10, 40, 60, 30, 5, 4, 20, 70])).toBe(5);
  expect(frontLeak([1, 8, 20, 31, 20, 9, 2])).toBe(null);
  expect(frontLeak([5, 60, 58, 61, 40, 35, 32, 8])).toBe(null);
  expect(frontLeak([])).toBe(null);
});
