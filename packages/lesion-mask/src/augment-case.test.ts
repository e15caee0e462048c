import {
  createVolume,
  indexToPhysical,
  type Mask,
  reorient,
  type Vec3,
  type Volume,
} from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { type AugmentCaseOptions, augmentCase, lesionSlices, type RandomSource } from './index.js';

const size: Vec3 = [24, 20, 6];
const geometry = { size, spacing: [0.8, 1.1, 3] as Vec3, origin: [-50, -40, 7] as Vec3 };
const count = 24 * 20 * 6;

/** Linear in physical space, so that linear interpolation of it is exact. */
const plane = ([x, y, z]: Vec3): number => 3 * x - 2 * y + 5 * z;
const indices = Array.from(
  { length: count },
  (_, at): Vec3 => [at % 24, Math.floor(at / 24) % 20, Math.floor(at / 480)],
);
const grid = createVolume({ ...geometry, data: new Float32Array(count) });
const ct: Volume = {
  ...grid,
  data: Float32Array.from(indices, (index) => plane(indexToPhysical(grid, index))),
};
/** A box of 6 x 5 x 3 voxels whose middle is voxel (10.5, 9, 3). */
const lesion: Mask = {
  ...grid,
  data: Uint8Array.from(indices, ([x, y, z]) =>
    x >= 8 && x <= 13 && y >= 7 && y <= 11 && z >= 2 && z <= 4 ? 9 : 0,
  ),
};
const middle = indexToPhysical(grid, [10.5, 9, 3]);

/** Gives these uniform numbers: flip, rotation, scale, shift to the left, shift to the back, intensity, noise. */
function given(...values: number[]): RandomSource {
  const next = [...values];
  return { uniform: () => next.shift()!, normal: () => next.shift()! };
}
/** A small generator, for what has to be random (mulberry32). */
function seeded(seed: number): RandomSource {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
const code = (wrong: string) => expect.objectContaining({ code: wrong });
const lesionVoxels = (mask: Mask) => mask.data.reduce((sum, label) => sum + (label === 0 ? 0 : 1), 0);

test('nothing asked for changes nothing and copies nothing', () => {
  const { volume, mask, warnings } = augmentCase(ct, lesion, {}, seeded(1));
  expect(volume).toBe(ct);
  expect(mask).toBe(lesion);
  expect(warnings).toEqual([]);
});

test('every voxel shows the point that the drawn transform takes there', () => {
  const options = { flip: true, rotateDegrees: 40, scale: 0.2, shiftMm: 3, fillHu: -5000 };
  // drawn: mirrored, +20 degrees, 1.1 times, 1.5 mm to the left, 0.75 mm to the front
  const { volume, applied } = augmentCase(ct, lesion, options, given(0.2, 0.75, 0.75, 0.75, 0.375, 0.5, 0.5));
  expect(applied).toMatchObject({ flipped: true, degrees: 20, shiftMm: [1.5, -0.75] });
  expect(applied.scale).toBeCloseTo(1.1, 12);
  const angle = (20 * Math.PI) / 180;
  let compared = 0;
  indices.forEach((index, at) => {
    const [x, y, z] = indexToPhysical(grid, index);
    const [dx, dy] = [(x - middle[0] - 1.5) / 1.1, (y - middle[1] + 0.75) / 1.1];
    const source: Vec3 = [
      middle[0] - (Math.cos(angle) * dx + Math.sin(angle) * dy), // turned back, then mirrored
      middle[1] + (Math.cos(angle) * dy - Math.sin(angle) * dx),
      z,
    ];
    if (volume.data[at] === -5000) return;
    // half a voxel beyond the outermost centres, edge values go on
    const [sx, sy] = [(source[0] + 50) / 0.8, (source[1] + 40) / 1.1];
    if (sx < 0 || sy < 0 || sx > 23 || sy > 19) return;
    compared++;
    expect(volume.data[at]).toBeCloseTo(plane(source), 3);
  });
  expect(compared).toBeGreaterThan(count / 2);
});

test('the grid stays, the middle of the lesion stays, and slices stay slices', () => {
  const { volume, mask } = augmentCase(ct, lesion, { rotateDegrees: 90, scale: 0.3, flip: true }, seeded(3));
  for (const each of [volume, mask]) {
    const { data: _, ...rest } = each;
    expect(rest).toEqual({ ...geometry, direction: grid.direction });
  }
  const slices = new Set(indices.filter((_, at) => mask.data[at] !== 0).map(([, , z]) => z));
  expect([...slices].sort()).toEqual([2, 3, 4]);
  expect(new Set(mask.data)).toEqual(new Set([0, 9])); // labels are not mixed
  const inside = indices.filter((_, at) => mask.data[at] !== 0);
  const mean = [0, 1, 2].map((axis) => inside.reduce((sum, index) => sum + index[axis]!, 0) / inside.length);
  expect(mean[0]).toBeCloseTo(10.5, 0);
  expect(mean[1]).toBeCloseTo(9, 0);
});

test('a half turn is exact', () => {
  const { volume, mask } = augmentCase(
    ct,
    lesion,
    { rotateDegrees: 180 },
    given(0.9, 1, 0.5, 0.5, 0.5, 0.5, 0.5),
  );
  expect(mask.data).toEqual(lesion.data); // the box is its own mirror image
  expect(volume.data[10 + 24 * (9 + 20 * 3)]).toBeCloseTo(ct.data[11 + 24 * (9 + 20 * 3)]!, 3);
});

test('volume and mask move as one', () => {
  const painted = { ...ct, data: Float32Array.from(lesion.data, (label) => (label === 0 ? 0 : 1000)) };
  for (let seed = 0; seed < 20; seed++) {
    const options = { flip: true, rotateDegrees: 30, scale: 0.2, shiftMm: 2, fillHu: 0 };
    const { volume, mask } = augmentCase(painted, lesion, options, seeded(seed));
    let [both, either] = [0, 0];
    mask.data.forEach((label, at) => {
      const shown = volume.data[at]! > 500;
      if (shown && label !== 0) both++;
      if (shown || label !== 0) either++;
    });
    expect(both / either).toBeGreaterThan(0.8); // nearest and linear differ at the border of a small box
  }
});

test.each(['RAS', 'PIR', 'SLP'])('stored as %s it is the same picture', (orientation) => {
  const options = { flip: true, rotateDegrees: 30, scale: 0.2, shiftMm: 3, intensityShiftHu: 20 };
  const expected = augmentCase(ct, lesion, options, seeded(5));
  const found = augmentCase(reorient(ct, orientation), reorient(lesion, orientation), options, seeded(5));
  const back = reorient(found.volume, 'LPS');
  back.data.forEach((value, at) => {
    expect(value).toBeCloseTo(expected.volume.data[at]!, 2);
  });
  const moved = reorient(found.mask, 'LPS');
  const differing = moved.data.filter((label, at) => label !== expected.mask.data[at]).length;
  expect(differing).toBeLessThanOrEqual(2); // ties of the nearest voxel
});

describe('intensities', () => {
  test('one shift for all voxels, and noise of the drawn deviation', () => {
    const shifted = augmentCase(ct, lesion, { intensityShiftHu: 30 }, given(0.9, 0.5, 0.5, 0.5, 0.5, 1, 0.5));
    expect(shifted.mask).toBe(lesion);
    shifted.volume.data.forEach((value, at) => {
      expect(value).toBeCloseTo(ct.data[at]! + 30, 3);
    });
    const noisy = augmentCase(ct, lesion, { noiseHu: 20 }, seeded(11));
    const noise = Array.from(noisy.volume.data, (value, at) => value - ct.data[at]!);
    const mean = noise.reduce((sum, value) => sum + value, 0) / count;
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
    // 2880 voxels: the mean is within 4 standard errors of 0, the deviation within 6% of the drawn one
    expect(Math.abs(mean)).toBeLessThan((4 * noisy.applied.noiseHu) / Math.sqrt(count));
    expect(deviation / noisy.applied.noiseHu).toBeGreaterThan(0.94);
    expect(deviation / noisy.applied.noiseHu).toBeLessThan(1.06);
  });

  test('the given volume stays as it was', () => {
    const before = ct.data.slice();
    augmentCase(ct, lesion, { noiseHu: 20, rotateDegrees: 20 }, seeded(11));
    expect(ct.data).toEqual(before);
  });
});

test('the stream decides, and one change more leaves the others as they were', () => {
  const all: AugmentCaseOptions = { flip: true, rotateDegrees: 30, scale: 0.2, shiftMm: 3 };
  expect(augmentCase(ct, lesion, all, seeded(7))).toEqual(augmentCase(ct, lesion, all, seeded(7)));
  expect(augmentCase(ct, lesion, all, seeded(8)).applied).not.toEqual(
    augmentCase(ct, lesion, all, seeded(7)).applied,
  );
  const { flip: _, ...fewer } = all;
  expect(augmentCase(ct, lesion, fewer, seeded(7)).applied).toEqual({
    ...augmentCase(ct, lesion, all, seeded(7)).applied,
    flipped: false,
  });
});

test('a lesion that would be lost keeps its place, and that is said', () => {
  const result = augmentCase(ct, lesion, { shiftMm: 1000 }, given(0.9, 0.5, 0.5, 1, 1, 0.5, 0.5));
  expect(result.mask).toBe(lesion);
  expect(result.applied.shiftMm).toEqual([0, 0]);
  expect(result.warnings).toEqual([expect.stringContaining('lost')]);
  for (let seed = 0; seed < 10; seed++) {
    const speck = { ...lesion, data: Uint8Array.from(lesion.data, (_, at) => (at === 1000 ? 1 : 0)) };
    expect(
      lesionVoxels(augmentCase(ct, speck, { scale: 0.5, rotateDegrees: 90 }, seeded(seed)).mask),
    ).toBeGreaterThan(0);
  }
});

describe('aroundMm', () => {
  const options = { flip: true, rotateDegrees: 40, scale: 0.3, shiftMm: 2, intensityShiftHu: 9 };
  const view = {
    input: 'ct',
    field: 'lesionBox',
    marginMm: 2,
    window: { level: 0, width: 800 },
    spacing: null,
    slices: { choice: 'all', count: 1 },
    imageSize: 12,
    channels: 'neighbours',
    mean: [0, 0, 0],
    std: [1, 1, 1],
  } as const;

  test.each(['LPS', 'PIR'])(
    'shows in a lesion box what the whole volume shows, stored as %s',
    (orientation) => {
      const [stored, storedLesion] = [reorient(ct, orientation), reorient(lesion, orientation)];
      for (let seed = 0; seed < 12; seed++) {
        const whole = augmentCase(stored, storedLesion, options, seeded(seed));
        const part = augmentCase(stored, storedLesion, { ...options, aroundMm: 2 }, seeded(seed));
        expect(part.applied).toEqual(whole.applied);
        expect(part.volume.data.length).toBeLessThan(count);
        expect(lesionVoxels(part.mask)).toBe(lesionVoxels(whole.mask));
        const [expected, found] = [whole, part].map(({ volume, mask }) => lesionSlices(volume, mask, view));
        expect(found!.sliceLocationsMm).toHaveLength(expected!.sliceLocationsMm.length);
        expect(found!.lesion).toEqual(expected!.lesion);
        found!.pixels.forEach((value, at) => {
          expect(Math.abs(value - expected!.pixels[at]!)).toBeLessThan(1e-4);
        });
      }
    },
  );

  test('keeps the place of what it cuts out', () => {
    const { volume, mask } = augmentCase(ct, lesion, { aroundMm: 1 }, seeded(1));
    expect(mask.size).toEqual(volume.size);
    volume.data.forEach((value, at) => {
      const [w, h] = volume.size;
      const index: Vec3 = [at % w, Math.floor(at / w) % h, Math.floor(at / (w * h))];
      expect(value).toBeCloseTo(plane(indexToPhysical(volume, index)), 3);
    });
  });
});

test('bad input is refused', () => {
  expect(() => augmentCase(ct, { ...lesion, data: new Uint8Array(count) }, {}, seeded(1))).toThrow(
    code('EMPTY_MASK'),
  );
  expect(() => augmentCase(ct, { ...lesion, origin: [0, 0, 0] }, {}, seeded(1))).toThrow(
    code('GRID_MISMATCH'),
  );
  for (const wrong of [{ scale: 1 }, { rotateDegrees: -1 }, { noiseHu: Number.NaN }, { shiftMm: Infinity }]) {
    expect(() => augmentCase(ct, lesion, wrong, seeded(1))).toThrow(code('INVALID_ARGUMENT'));
  }
});
