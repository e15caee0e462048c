import { describe, expect, test } from 'vitest';
import { evenGrid, mixPlanes } from '../even-spacing.js';
import { dicomBytes } from '../test-dicom.js';
import { temporaryFolder } from '../test-dicom-folder.js';
import { readDicomSeries } from './read-dicom-series.js';

/** Slices at these heights whose voxels are all 100 times their height. */
const ramp = (heights: number[], slope = 1): string =>
  temporaryFolder(
    heights.map((z) =>
      dicomBytes({
        position: [5, 6, z],
        intercept: 0,
        slope,
        pixels: new Uint16Array(6).fill(Math.round(100 * z)),
      }),
    ),
  );
const firstOfPlanes = (data: ArrayLike<number>): number[] =>
  Array.from({ length: data.length / 6 }, (_, plane) => data[6 * plane]!);

test('refused by default, naming the series and the positions', async () => {
  const error: Error = await readDicomSeries(ramp([0, 2, 4, 8, 10])).catch((e) => e);
  expect(error).toMatchObject({ code: 'MISSING_SLICES' });
  expect(error.message).toMatch(/series 1\.2\.3\.4/);
  expect(error.message).toMatch(/slices 3 and 4 of 5 4\.000 mm \(from 4\.00 to 8\.00 mm\)/);
});

describe("onUnevenSpacing: 'resample'", () => {
  test('missing slices are filled, those there stay as they are', async () => {
    const { volume, series } = await readDicomSeries(ramp([0, 2, 4, 10, 12]), {
      onUnevenSpacing: 'resample',
    });
    expect(volume.size).toEqual([3, 2, 7]);
    expect(volume.spacing[2]).toBe(2);
    expect(volume.origin).toEqual([5, 6, 0]);
    expect(volume.data).toBeInstanceOf(Int16Array);
    expect(firstOfPlanes(volume.data)).toEqual([0, 200, 400, 600, 800, 1000, 1200]);
    expect(series.warnings).toHaveLength(1);
    expect(series.warnings[0]).toMatch(/2 of them are interpolated, at 6\.00 mm, 8\.00 mm/);
    expect(series.files).toHaveLength(5);
  });
  test('rounded positions with one missing keep their slices and the true step', async () => {
    // 1.25 mm apart, written to 0.1 mm, the one at 3.75 mm gone
    const { volume } = await readDicomSeries(ramp([0, 1.3, 2.5, 5, 6.3, 7.5]), {
      onUnevenSpacing: 'resample',
    });
    expect(volume.spacing[2]).toBeCloseTo(1.25, 12);
    expect(firstOfPlanes(volume.data)).toEqual([0, 130, 250, 375, 500, 630, 750]);
  });
  test('slices anywhere: the usual distance from the first one on', async () => {
    const { volume, series } = await readDicomSeries(ramp([0, 2, 4.7, 6, 8, 11]), {
      onUnevenSpacing: 'resample',
    });
    expect(volume.spacing[2]).toBeCloseTo(2, 12); // gaps 2, 2.7, 1.3, 2, 3
    expect(firstOfPlanes(volume.data)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(series.warnings[0]).toMatch(/interpolated, at 4\.00 mm, 10\.00 mm/);
  });
  test('fractions stay fractions in floats', async () => {
    const { volume } = await readDicomSeries(ramp([0, 1, 2, 4], 0.25), { onUnevenSpacing: 'resample' });
    expect(volume.data).toBeInstanceOf(Float32Array);
    expect(firstOfPlanes(volume.data)).toEqual([0, 25, 50, 75, 100]);
  });
  test('even slices are not touched and not warned about', async () => {
    const { volume, series } = await readDicomSeries(ramp([0, 2, 4]), { onUnevenSpacing: 'resample' });
    expect(firstOfPlanes(volume.data)).toEqual([0, 200, 400]);
    expect(series.warnings).toEqual([]);
  });
  test.each([
    ['doubled slices', [0, 2, 2, 6], 'DUPLICATE_SLICES'],
    ['a position that cannot be', [0, 1, 2, 3, 90_000], 'MISSING_SLICES'],
  ])('%s stay refused', async (_, heights, code) => {
    const folder = temporaryFolder(heights.map((z) => dicomBytes({ position: [0, 0, z] })));
    await expect(readDicomSeries(folder, { onUnevenSpacing: 'resample' })).rejects.toMatchObject({ code });
  });
  test('a tilted gantry stays refused', async () => {
    const folder = temporaryFolder([0, 1, 2, 4].map((n) => dicomBytes({ position: [0, 0.5 * n, 2 * n] })));
    await expect(readDicomSeries(folder, { onUnevenSpacing: 'resample' })).rejects.toMatchObject({
      code: 'GANTRY_TILT',
    });
  });
});

test('whole numbers are rounded, not cut off', () => {
  const planes = [0, 0.3, 0.7, 1].map((weight) => ({ place: weight, below: 0, weight }));
  expect([...mixPlanes(Int16Array.of(0, 0, 9, -9), 2, planes)]).toEqual([0, 0, 3, -3, 6, -6, 9, -9]); // 2.7, 6.3
});

test('a linear function of height comes back as it was, wherever slices lie', () => {
  let state = 7;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let round = 0; round < 50; round++) {
    const places = [random() * 10 - 5];
    while (places.length < 12) places.push(places.at(-1)! + 0.5 + 3 * random());
    const { step, planes } = evenGrid(places, 1.7, 1e-9)!;
    expect(step).toBe(1.7);
    const mixed = mixPlanes(
      Float64Array.from(places, (place) => 3 * place - 4),
      1,
      planes,
    );
    for (const [at, { place }] of planes.entries()) {
      expect(place).toBeCloseTo(places[0]! + 1.7 * at, 9);
      expect(mixed[at]).toBeCloseTo(3 * place - 4, 9);
    }
    expect(places.at(-1)! - planes.at(-1)!.place).toBeLessThan(1.7);
  }
});
