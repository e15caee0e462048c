import { describe, expect, test } from 'vitest';
import { boundingBox } from './bounding-box.js';
import { createVolume } from './create-volume.js';
import { crop } from './crop.js';
import { indexToPhysical } from './geometry.js';
import { pad } from './pad.js';
import { noiseMask, noiseVolume } from './test-volumes.js';
import type { Box } from './types.js';

const volume = noiseVolume([7, 6, 5], [0.7, 0.8, 3]);
const box: Box = { minimum: [2, 1, 0], maximum: [5, 4, 3] };

test('crop takes the box, both corners included, at its place', () => {
  const part = crop(volume, box);
  expect(part.size).toEqual([4, 4, 4]);
  expect(part.origin).toEqual(indexToPhysical(volume, [2, 1, 0]));
  expect(part.data[1 + 4 * (2 + 4 * 3)]).toBe(volume.data[3 + 7 * (3 + 6 * 3)]);
  part.data[0] = 1;
  expect(volume.data[2 + 7]).not.toBe(1); // a copy
});

test('pad undoes crop, then crop undoes pad', () => {
  const part = crop(volume, box);
  const padded = pad(part, { before: [2, 1, 0], after: [1, 1, 1], value: -1024 });
  expect(padded.size).toEqual(volume.size);
  padded.origin.forEach((v, axis) => {
    expect(v).toBeCloseTo(volume.origin[axis]!, 12);
  });
  expect(padded.data[0]).toBe(-1024);
  expect(crop(padded, box).data).toEqual(part.data);
});

describe('boundingBox', () => {
  test('the brute-force box of noise', () => {
    for (let seed = 1; seed < 20; seed++) {
      const mask = noiseMask([7, 6, 5], [1, 1, 1], 0.02, seed);
      const sites = [...mask.data.keys()].filter((at) => mask.data[at] !== 0);
      const places = sites.map((at) => [at % 7, Math.floor(at / 7) % 6, Math.floor(at / 42)]);
      const expected = {
        minimum: [0, 1, 2].map((axis) => Math.min(...places.map((p) => p[axis]!))),
        maximum: [0, 1, 2].map((axis) => Math.max(...places.map((p) => p[axis]!))),
      };
      expect(boundingBox(mask)).toEqual(sites.length === 0 ? null : expected);
    }
  });
  test('null for an empty mask', () => {
    expect(boundingBox(createVolume({ data: new Uint8Array(8), size: [2, 2, 2] }))).toBeNull();
  });
});

test.each([
  ['before the first voxel', { minimum: [-1, 0, 0], maximum: [2, 2, 2] }],
  ['beyond the last', { minimum: [0, 0, 0], maximum: [7, 2, 2] }],
  ['inside out', { minimum: [3, 0, 0], maximum: [2, 2, 2] }],
  ['fractional', { minimum: [0.5, 0, 0], maximum: [2, 2, 2] }],
])('a box %s is refused', (_, bad) => {
  expect(() => crop(volume, bad as unknown as Box)).toThrow(
    expect.objectContaining({ code: 'OUT_OF_BOUNDS' }),
  );
});

test('negative padding is refused', () => {
  expect(() => pad(volume, { before: [-1, 0, 0] })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
