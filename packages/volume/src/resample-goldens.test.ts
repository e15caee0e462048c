import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { gaussianSmooth } from './gaussian.js';
import { resample } from './resample.js';
import type { Grid, Vec3 } from './types.js';

const goldens = JSON.parse(
  gunzipSync(readFileSync(new URL('./__fixtures__/resample.json.gz', import.meta.url))).toString(),
) as {
  source: Grid & { values: string };
  /** Values are NaN within a voxel of the source's edge. */
  resampled: { target: string; interpolation: 'linear' | 'bspline'; grid: Grid; values: string }[];
  blurred: Record<'even' | 'uneven' | 'wide', string>;
};
const floatsOf = (packed: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(packed, 'base64')).buffer);
const { values, ...grid } = goldens.source;
const source = createVolume({ data: floatsOf(values), ...grid });

/** The largest difference where the expected value is one, and how many there are. */
function worstOf(found: ArrayLike<number>, expected: Float32Array): { worst: number; compared: number } {
  let [worst, compared] = [0, 0];
  expected.forEach((value, at) => {
    if (Number.isNaN(value)) return;
    worst = Math.max(worst, Math.abs(found[at]! - value));
    compared++;
  });
  return { worst, compared };
}

// Float32 rounds values of 1024 to 3000 by up to 1.2e-4. The largest differences found: 0 HU for linear, 1.2e-4 HU for
// cubic, whose coefficients are float32 here and float64 in ITK.
test.each(goldens.resampled.map((each) => [`${each.interpolation}, ${each.target}`, each] as const))(
  '%s: within 1e-3 HU of SimpleITK from a voxel inside the edge on',
  (_name, expected) => {
    const { interpolation } = expected;
    const { data } = resample(source, { like: expected.grid }, { interpolation });
    const { worst, compared } = worstOf(data, floatsOf(expected.values));
    expect(compared).toBeGreaterThan(50);
    expect(worst).toBeLessThan(1e-3);
  },
);

const sigmas: Record<keyof typeof goldens.blurred, Vec3> = {
  even: [1, 1, 1],
  uneven: [0.2, 3.7, 0],
  wide: [0.5, 0.5, 9], // reaches over more than the whole axis
};

test.each(Object.keys(sigmas) as (keyof typeof sigmas)[])(
  'the low-pass equals scipy.ndimage.gaussian_filter: %s',
  (name) => {
    const { worst, compared } = worstOf(
      gaussianSmooth(source.data, source.size, sigmas[name]),
      floatsOf(goldens.blurred[name]),
    );
    expect(compared).toBe(source.data.length);
    expect(worst).toBeLessThan(1e-3); // float32 between the axes
  },
);

test('antiAlias is that low-pass by (factor - 1) / 2 voxels, then resampling', () => {
  const spacing = grid.spacing.map((s) => 3 * s) as unknown as Vec3; // (3 - 1) / 2 = 1 voxel
  const blurred = { ...source, data: floatsOf(goldens.blurred.even) };
  for (const interpolation of ['linear', 'bspline'] as const) {
    const { data } = resample(source, { spacing }, { interpolation, antiAlias: true });
    const expected = resample(blurred, { spacing }, { interpolation }).data as Float32Array;
    expect(worstOf(data, expected).worst).toBeLessThan(1e-3);
    const plain = resample(source, { spacing }, { interpolation }).data;
    expect(worstOf(plain, expected).worst).toBeGreaterThan(10);
  }
});
