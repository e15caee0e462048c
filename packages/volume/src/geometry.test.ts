import { describe, expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { indexToPhysical, isOrthonormal, physicalToIndex, sameGrid, voxelVolumeMm3 } from './geometry.js';
import { noiseVolume } from './test-volumes.js';
import type { Mat3, Vec3 } from './types.js';
import { VolumeError } from './volume-error.js';
import { volumeMm3 } from './volume-mm3.js';
import { windowIntensity } from './window-intensity.js';

// 30 degrees about z, z reflected
const direction: Mat3 = [Math.sqrt(3) / 2, -0.5, 0, 0.5, Math.sqrt(3) / 2, 0, 0, 0, -1];
const grid = { size: [10, 8, 6] as Vec3, spacing: [2, 1, 3] as Vec3, origin: [5, -4, 9] as Vec3, direction };

test('index to physical by hand, and back', () => {
  const point = indexToPhysical(grid, [1, 2, 3]);
  expect(point[0]).toBeCloseTo(5 + Math.sqrt(3) - 1, 12);
  expect(point[1]).toBeCloseTo(-4 + 1 + Math.sqrt(3), 12);
  expect(point[2]).toBeCloseTo(0, 12);
  physicalToIndex(grid, point).forEach((v, axis) => {
    expect(v).toBeCloseTo([1, 2, 3][axis]!, 12);
  });
});

describe('sameGrid', () => {
  test('2e-4 mm in every coordinate is the same, 1e-3 is not', () => {
    const moved = (by: number): typeof grid => ({ ...grid, origin: [5 + by, -4 + by, 9 + by] });
    expect(sameGrid(grid, moved(2e-4))).toBe(true);
    expect(sameGrid(grid, moved(1e-3))).toBe(false);
  });
  test('a spacing that drifts apart over the grid is another grid', () => {
    expect(sameGrid(grid, { ...grid, spacing: [2.0001, 1, 3] })).toBe(false);
  });
  test('the same centres in another order are another grid', () => {
    const flipped = {
      ...grid,
      origin: indexToPhysical(grid, [0, 0, 5]),
      direction: direction.map((v, at) => (at % 3 === 2 ? -v : v)) as unknown as Mat3,
    };
    expect(sameGrid(grid, flipped)).toBe(false);
  });
  test('another size is another grid', () => {
    expect(sameGrid(grid, { ...grid, size: [10, 8, 5] })).toBe(false);
  });
});

test('orthonormal axes are told from sheared ones', () => {
  expect(isOrthonormal(direction)).toBe(true);
  expect(isOrthonormal([1, 0.1, 0, 0, Math.sqrt(0.99), 0, 0, 0, 1])).toBe(false);
});

test('volumes in mm3', () => {
  expect(voxelVolumeMm3(grid)).toBeCloseTo(6, 12);
  const mask = createVolume({ ...grid, data: new Uint8Array(480).fill(3, 0, 7) });
  expect(volumeMm3(mask)).toBeCloseTo(42, 10);
});

test('windowIntensity clamps an increasing affine scale', () => {
  const line = createVolume({ data: Int16Array.from([-1024, -160, 40, 140, 240, 3000]), size: [6, 1, 1] });
  expect([...windowIntensity(line, { level: 40, width: 400 }).data]).toEqual([0, 0, 0.5, 0.75, 1, 1]);
  expect(() => windowIntensity(line, { level: 40, width: 0 })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

describe('what is no volume is refused', () => {
  const volume = noiseVolume([2, 2, 2]);
  test.each([
    ['data too short', { data: new Int16Array(7) }],
    ['size 0', { size: [0, 2, 2] }],
    ['negative spacing', { spacing: [1, -1, 1] }],
    ['NaN origin', { origin: [0, Number.NaN, 0] }],
    ['flat direction', { direction: [1, 0, 0, 1, 0, 0, 0, 0, 1] }],
  ])('%s', (_, part) => {
    try {
      createVolume({ ...volume, ...part } as never);
      expect.unreachable();
    } catch (error) {
      expect(VolumeError.isInstance(error) && error.code).toBe('INVALID_VOLUME');
    }
  });
  test('a grid of more than 2^30 voxels', () => {
    expect(() => createVolume({ ...volume, size: [2048, 2048, 2048] })).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
  });
});
