import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { sameGrid } from './geometry.js';
import { resample } from './resample.js';
import { noiseMask, noiseVolume } from './test-volumes.js';
import type { Grid, Vec3 } from './types.js';

const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/simpleitk.json', import.meta.url), 'utf8'),
) as {
  source: Grid & { values: number[] };
  resampled: {
    target: string;
    interpolation: 'nearest' | 'linear' | 'bspline';
    grid: Grid;
    values: number[];
  }[];
};
const { values, ...grid } = golden.source;
const source = createVolume({ data: Float64Array.from(values), ...grid });

describe('against SimpleITK', () => {
  // float64 in, float64 out: linear and nearest differ by rounding only; B-spline coefficients are float32 (values to
  // 1100, so 1e-3 is a few units in the last place)
  test.each(golden.resampled.map((g) => [`${g.target} ${g.interpolation}`, g] as const))(
    '%s',
    (_, expected) => {
      const { interpolation } = expected;
      const result = resample(source, { like: expected.grid }, { interpolation, fill: -3000 });
      const inside = expected.values.filter((v) => v !== -3000).length;
      expect(inside).toBeGreaterThan(100);
      const worst = expected.values.reduce((max, v, at) => Math.max(max, Math.abs(v - result.data[at]!)), 0);
      expect(worst).toBeLessThan(
        interpolation === 'bspline' ? 1e-3 : interpolation === 'linear' ? 1e-5 : 1e-9,
      );
    },
  );

  test('int16 input gives the same values as float32', () => {
    const short = createVolume({ data: Int16Array.from(values), ...grid });
    const expected = golden.resampled.find((g) => g.target === 'oblique' && g.interpolation === 'linear')!;
    const result = resample(short, { like: expected.grid }, { interpolation: 'linear', fill: -3000 });
    expect(result.data).toBeInstanceOf(Float32Array);
    expect(Math.max(...expected.values.map((v, at) => Math.abs(v - result.data[at]!)))).toBeLessThan(1e-3);
  });
});

describe('properties', () => {
  const volume = noiseVolume([9, 8, 7], [0.7, 0.8, 3]);

  test.each(['nearest', 'linear', 'bspline'] as const)(
    '%s onto its own grid is the identity',
    (interpolation) => {
      const same = resample(volume, { like: volume }, { interpolation });
      for (let at = 0; at < volume.data.length; at++) expect(same.data[at]).toBeCloseTo(volume.data[at]!, 2);
    },
  );

  test.each(['linear', 'bspline'] as const)(
    '%s reproduces a ramp exactly away from the edge',
    (interpolation) => {
      const size: Vec3 = [24, 22, 20];
      const data = new Float32Array(size[0] * size[1] * size[2]);
      for (let at = 0; at < data.length; at++) {
        const [i, j, k] = [at % 24, Math.floor(at / 24) % 22, Math.floor(at / 528)];
        data[at] = 3 * i - 2 * j + 5 * k;
      }
      const ramp = createVolume({ data, size });
      const moved = {
        size: [8, 8, 8] as Vec3,
        spacing: [0.9, 0.9, 0.9] as Vec3,
        origin: [8.3, 7.6, 6.1] as Vec3,
        direction: ramp.direction,
      };
      const result = resample(ramp, { like: moved }, { interpolation });
      for (let at = 0; at < result.data.length; at++) {
        const [i, j, k] = [at % 8, Math.floor(at / 8) % 8, Math.floor(at / 64)];
        const expected = 3 * (8.3 + 0.9 * i) - 2 * (7.6 + 0.9 * j) + 5 * (6.1 + 0.9 * k);
        // the B-spline's mirrored edge dies out by |pole|^6 = 4e-4 of the slope
        expect(Math.abs(result.data[at]! - expected)).toBeLessThan(interpolation === 'linear' ? 1e-4 : 0.02);
      }
    },
  );

  test('a translation by whole voxels copies', () => {
    const like = {
      ...volume,
      origin: [volume.origin[0] + 0.7, volume.origin[1], volume.origin[2] - 3] as Vec3,
    };
    const moved = resample(volume, { like }, { interpolation: 'nearest', fill: 77 });
    expect(moved.data[0]).toBe(77); // beyond the first slice
    expect(moved.data[9 * 8]).toBe(volume.data[1]);
    expect(moved.data[9 * 8 + 8]).toBe(77); // beyond the last column
  });

  test('{ spacing } keeps that spacing, the axes and the region', () => {
    const result = resample(volume, { spacing: [1, 1, 1] }, { interpolation: 'linear' });
    expect(result.size).toEqual([7, 7, 21]); // ceil(6.3), ceil(6.4), 21
    expect(result.spacing).toEqual([1, 1, 1]);
    expect(result.direction).toEqual(volume.direction);
    const middle = (g: Grid): number[] =>
      g.origin.map((o, axis) => o + ((g.size[axis]! - 1) / 2) * g.spacing[axis]!);
    middle(result).forEach((v, axis) => {
      expect(v).toBeCloseTo(middle(volume)[axis]!, 10);
    });
    expect(result.data.every(Number.isFinite)).toBe(true);
  });

  test('down and up again returns a smooth volume', () => {
    const size: Vec3 = [20, 20, 20];
    const data = Float32Array.from(
      { length: 8000 },
      (_, at) => 100 * Math.sin((at % 20) / 4) * Math.cos(Math.floor(at / 400) / 5),
    );
    const smooth = createVolume({ data, size });
    const half = resample(smooth, { spacing: [0.5, 0.5, 0.5] }, { interpolation: 'bspline' });
    const back = resample(half, { like: smooth }, { interpolation: 'bspline' });
    const edge = (at: number): boolean =>
      [at % 20, Math.floor(at / 20) % 20, Math.floor(at / 400)].some((v) => v < 4 || v > 15);
    const worst = data.reduce(
      (max, v, at) => (edge(at) ? max : Math.max(max, Math.abs(v - back.data[at]!))),
      0,
    );
    expect(worst).toBeLessThan(0.05); // of 200 peak to peak
  });

  test('a mask stays bytes and 0/1; the input is not changed', () => {
    const mask = noiseMask([9, 8, 7], [0.7, 0.8, 3], 0.3);
    const before = mask.data.slice();
    const result = resample(mask, { spacing: [1.1, 0.6, 2] }, { interpolation: 'nearest' });
    expect(result.data).toBeInstanceOf(Uint8Array);
    expect(new Set(result.data)).toEqual(new Set([0, 1]));
    expect(mask.data).toEqual(before);
  });

  test('NaN beside a voxel that is hit exactly does not spread', () => {
    const data = Float32Array.from([1, Number.NaN, 3]);
    const line = createVolume({ data, size: [3, 1, 1] });
    expect([...resample(line, { like: line }, { interpolation: 'linear' }).data]).toEqual([1, Number.NaN, 3]);
  });

  test('a single slice is the same at any depth inside it', () => {
    const slice = noiseVolume([6, 5, 1], [1, 1, 5]);
    for (const interpolation of ['nearest', 'linear', 'bspline'] as const) {
      const moved = resample(slice, { like: { ...slice, origin: [-5, 7, 13] } }, { interpolation });
      moved.data.forEach((v, at) => {
        expect(v).toBeCloseTo(slice.data[at]!, 2);
      });
    }
  });
});

describe('bad arguments', () => {
  const volume = noiseVolume([3, 3, 3]);
  test.each([
    ['zero spacing', { spacing: [1, 0, 1] }, 'INVALID_ARGUMENT'],
    ['NaN spacing', { spacing: [1, Number.NaN, 1] }, 'INVALID_ARGUMENT'],
    ['no target', {}, 'INVALID_ARGUMENT'],
    ['a spacing of a nanometre', { spacing: [1e-6, 1e-6, 1e-6] }, 'TOO_LARGE'],
    ['a like without size', { like: { ...volume, size: [0, 1, 1] } }, 'INVALID_VOLUME'],
  ])('%s', (_, target, code) => {
    expect(() => resample(volume, target as never, { interpolation: 'linear' })).toThrow(
      expect.objectContaining({ code }),
    );
  });
  test('an unknown interpolation', () => {
    expect(() => resample(volume, { like: volume }, { interpolation: 'cubic' as never })).toThrow(
      /'bspline'/,
    );
  });
});

test('the resampled grid of like is like', () => {
  const volume = noiseVolume([3, 4, 5]);
  const like = noiseVolume([5, 4, 3], [2, 2, 2]);
  expect(sameGrid(resample(volume, { like }), like)).toBe(true);
});
