import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { distanceTransform } from './distance-transform.js';
import { closing, dilate, erode, opening, ring } from './morphology.js';
import { noiseMask } from './test-volumes.js';
import type { Grid, Mask } from './types.js';

const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/simpleitk.json', import.meta.url), 'utf8'),
) as {
  source: Grid;
  mask: number[];
  distance: number[];
  erodeDistance: number[];
};
const { size, spacing } = golden.source;
const mask = createVolume({ data: Uint8Array.from(golden.mask), size, spacing });

test('distances equal scipy.ndimage.distance_transform_edt', () => {
  const { data } = distanceTransform(mask);
  const worst = golden.distance.reduce((max, v, at) => Math.max(max, Math.abs(v - data[at]!)), 0);
  expect(worst).toBeLessThan(2e-6); // golden values have 6 decimals, ours are float32
});

test('an empty mask is infinitely far', () => {
  const { data } = distanceTransform(createVolume({ data: new Uint8Array(8), size: [2, 2, 2] }));
  expect(new Set(data)).toEqual(new Set([Number.POSITIVE_INFINITY]));
});

describe.each([0, 1, 1.6, 2.5, 4])('by %f mm', (mm) => {
  test('dilate: distance to the mask <= mm', () => {
    expect([...dilate(mask, mm).data]).toEqual(golden.distance.map((d) => (d <= mm + 1e-6 ? 1 : 0)));
  });
  test('erode: distance to the background > mm', () => {
    expect([...erode(mask, mm).data]).toEqual(golden.erodeDistance.map((d) => (d > mm + 1e-6 ? 1 : 0)));
  });
  test('ring: dilate without the mask', () => {
    const grown = dilate(mask, mm).data;
    expect([...ring(mask, mm).data]).toEqual([...grown].map((v, at) => (golden.mask[at] ? 0 : v)));
  });
});

test('a distance equal to mm but for rounding is inside', () => {
  const line = createVolume({
    data: Uint8Array.from([1, 0, 0, 0, 0]),
    size: [5, 1, 1],
    spacing: [0.1, 1, 1],
  });
  expect([...dilate(line, 0.3).data]).toEqual([1, 1, 1, 1, 0]); // 3 * 0.1 = 0.30000000000000004
});

test('brute force on noise, anisotropic', () => {
  const noisy = noiseMask([7, 6, 5], [0.9, 0.7, 2.5], 0.03, 5);
  const sites = [...noisy.data.keys()].filter((at) => noisy.data[at] === 1);
  expect(sites.length).toBeGreaterThan(2);
  const place = (at: number): number[] => [at % 7, Math.floor(at / 7) % 6, Math.floor(at / 42)];
  const { data } = distanceTransform(noisy);
  data.forEach((found, at) => {
    const nearest = Math.min(
      ...sites.map((site) =>
        Math.hypot(...place(site).map((v, axis) => (v - place(at)[axis]!) * noisy.spacing[axis]!)),
      ),
    );
    expect(found).toBeCloseTo(nearest, 5);
  });
});

test('labels count as mask; the image edge is no background; empty stays empty', () => {
  const full: Mask = createVolume({ data: new Uint8Array(27).fill(7), size: [3, 3, 3] });
  expect(new Set(erode(full, 5).data)).toEqual(new Set([1]));
  expect(new Set(dilate(full, 5).data)).toEqual(new Set([1]));
  const empty: Mask = createVolume({ data: new Uint8Array(27), size: [3, 3, 3] });
  expect(new Set([...erode(empty, 1).data, ...dilate(empty, 1).data])).toEqual(new Set([0]));
  expect(full.data[0]).toBe(7);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%f mm is refused', (mm) => {
  for (const operation of [dilate, erode, ring]) {
    expect(() => operation(mask, mm)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
});

describe.each([0, 0.5, 1.6, 3])('closing and opening by %f mm', (mm) => {
  const noisy = noiseMask([15, 13, 8], [0.9, 0.7, 2.5], 0.2, 11);
  const [width, height, depth] = noisy.size;
  const reach = noisy.spacing.map((s) => Math.ceil(mm / s) + 1);
  /** The definition: inside, where every voxel of the endless grid within mm is within mm of the mask. */
  function closedByDefinition(x: number, y: number, z: number): boolean {
    const near = (
      visit: (x: number, y: number, z: number) => boolean,
      cx: number,
      cy: number,
      cz: number,
    ) => {
      for (let dz = -reach[2]!; dz <= reach[2]!; dz++) {
        for (let dy = -reach[1]!; dy <= reach[1]!; dy++) {
          for (let dx = -reach[0]!; dx <= reach[0]!; dx++) {
            const far = Math.hypot(dx * noisy.spacing[0], dy * noisy.spacing[1], dz * noisy.spacing[2]);
            if (far <= mm + 1e-6 && visit(cx + dx, cy + dy, cz + dz)) return true;
          }
        }
      }
      return false;
    };
    const isMask = (i: number, j: number, k: number): boolean =>
      i >= 0 && j >= 0 && k >= 0 && i < width && j < height && k < depth
        ? noisy.data[i + width * (j + height * k)] !== 0
        : false;
    return !near((i, j, k) => !near(isMask, i, j, k), x, y, z);
  }
  test('closing equals its definition, at the edge too', () => {
    const { data } = closing(noisy, mm);
    const places = mm > 2 ? 60 : 400;
    for (let n = 0; n < places; n++) {
      const at = (n * 7919) % data.length;
      const [x, y, z] = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
      expect(data[at]).toBe(closedByDefinition(x, y, z) ? 1 : 0);
    }
  });
  test('closing only adds, opening only takes away, and twice is once', () => {
    const closed = closing(noisy, mm);
    const opened = opening(closed, mm);
    noisy.data.forEach((v, at) => {
      expect(closed.data[at]).toBeGreaterThanOrEqual(v);
      expect(opened.data[at]).toBeLessThanOrEqual(closed.data[at]!);
    });
    expect(closing(closed, mm).data).toEqual(closed.data);
    expect(opening(opened, mm).data).toEqual(opened.data);
  });
});
