import { createVolume, type Mask, reorient, type Vec3, type Volume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { type LesionSlicesOptions, lesionSlices } from './lesion-slices.js';

const size: Vec3 = [24, 20, 12];
const spacing: Vec3 = [1, 1, 2];
/** A ramp: every voxel's value says where it is, and interpolation is exact. */
const ct: Volume = createVolume({
  data: Float32Array.from(
    { length: 24 * 20 * 12 },
    (_, at) => (at % 24) + 10 * (Math.floor(at / 24) % 20) + 300 * Math.floor(at / 480),
  ),
  size,
  spacing,
  origin: [-50, -40, 7],
});

function box(first: Vec3, last: Vec3): Mask {
  const data = Uint8Array.from({ length: ct.data.length }, (_, at) => {
    const place = [at % 24, Math.floor(at / 24) % 20, Math.floor(at / 480)];
    return place.every((v, axis) => v >= first[axis]! && v <= last[axis]!) ? 3 : 0;
  });
  return { ...ct, data };
}

const lesion = box([8, 6, 3], [13, 11, 8]); // 6 x 6 x 6 voxels
const options: LesionSlicesOptions = {
  input: 'ct',
  field: 'lesionBox',
  marginMm: 2,
  window: { level: 2000, width: 4000 },
  spacing: null,
  slices: { choice: 'lesionUniform', count: 3 },
  imageSize: 10,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const valueAt = (x: number, y: number, z: number): number => (x + 10 * y + 300 * z) / 4000;

test('a box of as many voxels as pixels is a plain crop', () => {
  const result = lesionSlices(ct, lesion, options); // 6 + 2 * 2 = 10 voxels a side
  expect(result).toMatchObject({
    count: 3,
    imageSize: 10,
    sliceIndices: [4, 6, 8],
    lesionVolumeMm3: 432,
    warnings: [],
  });
  result.sliceIndices.forEach((z, slice) => {
    for (let y = 0; y < 10; y++) {
      for (let x = 0; x < 10; x++) {
        const pixel = slice * 100 + y * 10 + x;
        for (let channel = 0; channel < 3; channel++)
          expect(result.pixels[pixel * 3 + channel]).toBeCloseTo(valueAt(x + 6, y + 4, z), 5);
        expect(result.windowed[pixel]).toBe(Math.round(valueAt(x + 6, y + 4, z) * 255));
        expect(result.lesion[pixel]).toBe(x >= 2 && x < 8 && y >= 2 && y < 8 ? 1 : 0);
      }
    }
  });
  expect(result.sliceLocationsMm).toEqual(result.sliceIndices.map((z) => 7 + 2 * z));
});

describe('input modes', () => {
  const pixelsOf = (input: LesionSlicesOptions['input']): Float32Array =>
    lesionSlices(ct, lesion, { ...options, input }).pixels;
  const [plain, masked, mask, channels] = (['ct', 'maskedCt', 'mask', 'ctMaskChannels'] as const).map(
    pixelsOf,
  );
  const inside = lesionSlices(ct, lesion, options).lesion;
  test('maskedCt is the window minimum outside the lesion, mask is 0/1, channels are all three', () => {
    inside.forEach((in1, pixel) => {
      expect(masked![3 * pixel]).toBe(in1 ? plain![3 * pixel] : 0);
      expect(mask![3 * pixel + 1]).toBe(in1);
      expect([...channels!.subarray(3 * pixel, 3 * pixel + 3)]).toEqual([
        plain![3 * pixel],
        masked![3 * pixel],
        in1,
      ]);
    });
  });
  test('mean and std are applied per channel', () => {
    const normalised = lesionSlices(ct, lesion, { ...options, mean: [0.1, 0.2, 0.3], std: [1, 2, 4] }).pixels;
    normalised.forEach((v, at) => {
      expect(v).toBeCloseTo((plain![at]! - [0.1, 0.2, 0.3][at % 3]!) / [1, 2, 4][at % 3]!, 6);
    });
  });
});

describe('neighbours', () => {
  const neighbours = { ...options, channels: 'neighbours', slices: { choice: 'all', count: 1 } } as const;
  const pixel = 45; // row 4, column 5 of the box, which starts at voxel (6, 4)

  test('the channels are the slices below, at and above', () => {
    const result = lesionSlices(ct, lesion, neighbours);
    expect(result.sliceIndices).toEqual([3, 4, 5, 6, 7, 8]);
    result.sliceIndices.forEach((z, slice) => {
      [z - 1, z, z + 1].forEach((shown, channel) => {
        expect(result.pixels[3 * (slice * 100 + pixel) + channel]).toBeCloseTo(valueAt(11, 8, shown), 5);
      });
    });
    // what is kept for display is the slice itself
    const plain = lesionSlices(ct, lesion, { ...neighbours, channels: 'repeat' });
    expect(result.windowed).toEqual(plain.windowed);
    expect(result.lesion).toEqual(plain.lesion);
    expect(plain).toEqual(lesionSlices(ct, lesion, { ...options, slices: neighbours.slices }));
  });

  test("the volume's first and last slice stand in for what lies beyond", () => {
    const deep = lesionSlices(ct, box([8, 6, 0], [13, 11, 11]), neighbours);
    const shown = (slice: number) => [...deep.pixels.subarray(3 * (slice * 100 + pixel)).subarray(0, 3)];
    [0, 0, 1].forEach((z, channel) => {
      expect(shown(0)[channel]).toBeCloseTo(valueAt(11, 8, z), 5);
    });
    [10, 11, 11].forEach((z, channel) => {
      expect(shown(11)[channel]).toBeCloseTo(valueAt(11, 8, z), 5);
    });
  });

  test('slices far apart have their own neighbours, and masks go with their slice', () => {
    const two = lesionSlices(ct, lesion, {
      ...neighbours,
      input: 'mask',
      slices: { choice: 'lesionUniform', count: 2 },
    });
    expect(two.sliceIndices).toEqual([4, 7]);
    expect([...two.pixels.subarray(3 * pixel, 3 * pixel + 3)]).toEqual([1, 1, 1]);
    const ends = lesionSlices(ct, lesion, { ...neighbours, input: 'mask' });
    expect([...ends.pixels.subarray(3 * pixel, 3 * pixel + 3)]).toEqual([0, 1, 1]); // no lesion below slice 3
  });

  test('with another spacing they are one spacing apart', () => {
    const fine = lesionSlices(ct, lesion, { ...neighbours, spacing: [1, 1, 1] });
    const at = 3 * (3 * 100 + pixel); // slices of 1 mm from 12.5 mm: the fourth is at 15.5 mm, z 4.25
    [3.75, 4.25, 4.75].forEach((z, channel) => {
      expect(fine.pixels[at + channel]).toBeCloseTo(valueAt(11, 8, z), 5);
    });
  });
});

test('the field may run past the edge: window minimum, and a warning', () => {
  const corner = box([0, 0, 0], [1, 1, 2]);
  const result = lesionSlices({ ...ct, data: new Float32Array(ct.data.length).fill(2000) }, corner, {
    ...options,
    imageSize: 6,
  });
  expect(result.warnings).toEqual([expect.stringContaining('edge')]);
  expect([...result.pixels.filter((_, at) => at % 3 === 0).subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...result.pixels.filter((_, at) => at % 3 === 0).subarray(18, 24)]).toEqual([
    0, 0, 0.5, 0.5, 0.5, 0.5,
  ]);
  expect(result.lesion.reduce((sum, v) => sum + v, 0)).toBe(3 * 4);
});

test('full field: the whole plane as a square', () => {
  const result = lesionSlices(ct, lesion, {
    ...options,
    field: 'full',
    imageSize: 24,
    slices: { choice: 'all', count: 1 },
  });
  expect(result.sliceIndices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const pixel = 5 * 576 + (7 + 2) * 24 + 10; // 20 rows centred in 24
  expect(result.pixels[3 * pixel]).toBeCloseTo(valueAt(10, 7, 5), 5);
  expect(result.pixels[3 * (5 * 576 + 10)]).toBe(0);
});

describe('resampling first', () => {
  test('slices are found again in the given grid', () => {
    const result = lesionSlices(ct, lesion, {
      ...options,
      spacing: [1, 1, 1],
      slices: { choice: 'all', count: 1 },
    });
    expect(result.count).toBe(12); // 6 slices of 2 mm
    expect(result.sliceIndices).toEqual([3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]);
    expect(result.sliceLocationsMm.slice(0, 3)).toEqual([12.5, 13.5, 14.5]);
    // trilinear between the slices at 13 mm (z 3) and 15 mm (z 4)
    expect(result.pixels[3 * (100 + 45)]).toBeCloseTo(valueAt(6 + 5, 4 + 4, 3.25), 5);
  });
  test('the box and the full field choose the same slices', () => {
    const spaced = { ...options, spacing: [0.8, 0.8, 1.5] as Vec3 };
    const part = lesionSlices(ct, lesion, spaced);
    const full = lesionSlices(ct, lesion, { ...spaced, field: 'full' });
    expect(part.sliceLocationsMm).toEqual(full.sliceLocationsMm);
    expect(part.sliceIndices).toEqual(full.sliceIndices);
  });
  test('a lesion that the new grid misses is an error', () => {
    const speck = box([8, 6, 3], [8, 6, 3]);
    expect(() => lesionSlices(ct, speck, { ...options, spacing: [6, 6, 6] })).toThrow(
      expect.objectContaining({ code: 'EMPTY_MASK' }),
    );
  });
});

test.each(['PIR', 'RAS', 'SLP'])(
  'stored as %s it looks the same, indices are those of its own grid',
  (orientation) => {
    const [volume, mask] = [reorient(ct, orientation), reorient(lesion, orientation)];
    const expected = lesionSlices(ct, lesion, options);
    const result = lesionSlices(volume, mask, options);
    result.pixels.forEach((v, at) => {
      expect(v).toBeCloseTo(expected.pixels[at]!, 5);
    });
    expect(result.lesion).toEqual(expected.lesion);
    const flipped = orientation.includes('I');
    expect(result.sliceIndices).toEqual(expected.sliceIndices.map((z) => (flipped ? 11 - z : z)));
  },
);

test('the same input gives the same bytes, and the input stays as it was', () => {
  const before = [ct.data.slice(), lesion.data.slice()];
  const runs = [1, 2].map(() =>
    lesionSlices(ct, lesion, { ...options, imageSize: 31, spacing: [0.9, 0.9, 0.9] }),
  );
  expect(runs[0]).toEqual(runs[1]);
  expect([ct.data, lesion.data]).toEqual(before);
});

test('fewer slices than asked for is said', () => {
  expect(
    lesionSlices(ct, lesion, { ...options, slices: { choice: 'lesionUniform', count: 32 } }).warnings,
  ).toEqual(['the lesion has 6 slices, fewer than the 32 asked for']);
});

describe('bad input', () => {
  test.each<[string, () => unknown, string]>([
    [
      'an empty mask',
      () => lesionSlices(ct, { ...lesion, data: new Uint8Array(ct.data.length) }, options),
      'EMPTY_MASK',
    ],
    [
      'a shifted mask',
      () => lesionSlices(ct, { ...lesion, origin: [-49, -40, 7] }, options),
      'GRID_MISMATCH',
    ],
    [
      'an unknown input',
      () => lesionSlices(ct, lesion, { ...options, input: 'pet' as never }),
      'INVALID_ARGUMENT',
    ],
    [
      'an unknown field',
      () => lesionSlices(ct, lesion, { ...options, field: 'box' as never }),
      'INVALID_ARGUMENT',
    ],
    [
      'unknown channels',
      () => lesionSlices(ct, lesion, { ...options, channels: '3d' as never }),
      'INVALID_ARGUMENT',
    ],
    [
      'neighbours in channels that are taken',
      () => lesionSlices(ct, lesion, { ...options, channels: 'neighbours', input: 'ctMaskChannels' }),
      'INVALID_ARGUMENT',
    ],
    [
      'no width',
      () => lesionSlices(ct, lesion, { ...options, window: { level: 40, width: 0 } }),
      'INVALID_ARGUMENT',
    ],
    ['std 0', () => lesionSlices(ct, lesion, { ...options, std: [1, 0, 1] }), 'INVALID_ARGUMENT'],
    ['no pixels', () => lesionSlices(ct, lesion, { ...options, imageSize: 0 }), 'INVALID_ARGUMENT'],
    ['a negative margin', () => lesionSlices(ct, lesion, { ...options, marginMm: -1 }), 'INVALID_ARGUMENT'],
  ])('%s', (_, action, code) => {
    expect(action).toThrow(expect.objectContaining({ code }));
  });
});
