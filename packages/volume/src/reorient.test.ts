import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { indexToPhysical, sameGrid } from './geometry.js';
import { orientationOf, reorient, reorientGrid } from './reorient.js';
import { noiseVolume } from './test-volumes.js';
import type { Grid, Mat3, Vec3 } from './types.js';

const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/simpleitk.json', import.meta.url), 'utf8'),
) as {
  source: Grid & { values: number[] };
  permuted: { direction: Mat3; oriented: Record<string, Grid & { values: number[] }> };
};
const { values, ...grid } = golden.source;
const tilted = createVolume({ data: Int16Array.from(values), ...grid, direction: golden.permuted.direction });

test.each(['LPS', 'RAS'])('%s equals SimpleITK DICOMOrient', (code) => {
  const { values: expected, ...expectedGrid } = golden.permuted.oriented[code]!;
  const result = reorient(tilted, code);
  expect([...result.data]).toEqual(expected);
  expect(sameGrid(result, expectedGrid, 1e-9)).toBe(true);
  expect(reorientGrid(tilted, code)).toEqual({
    size: result.size,
    spacing: result.spacing,
    origin: result.origin,
    direction: result.direction,
  });
});

test.each(['LPS', 'RAS', 'PIR', 'ASL', 'IRP'])('there and back by way of %s is the identity', (code) => {
  const volume = noiseVolume([4, 3, 5], [0.7, 0.8, 3]);
  const turned = reorient(volume, code);
  expect(orientationOf(turned)).toBe(code);
  const back = reorient(turned, 'LPS');
  expect(back.data).toEqual(volume.data);
  expect(sameGrid(back, volume, 1e-9)).toBe(true);
});

test('every voxel keeps its place in space', () => {
  const volume = noiseVolume([4, 3, 5], [0.7, 0.8, 3]);
  const turned = reorient(volume, 'PIR'); // new x runs along y, new y against z, new z against x
  const index: Vec3 = [2, 1, 3]; // = old (0, 2, 3)
  expect(turned.data[2 + 3 * (1 + 5 * 3)]).toBe(volume.data[0 + 4 * (2 + 3 * 3)]);
  expect(indexToPhysical(turned, index)).toEqual(indexToPhysical(volume, [0, 2, 3]));
});

test.each(['LPX', 'LLS', 'LP', 'LPSS', ''])('%j is refused', (code) => {
  expect(() => reorient(noiseVolume([2, 2, 2]), code)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
