import { createVolume, type Mask } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { chooseSlices } from './choose-slices.js';
import { cleanMask } from './clean-mask.js';
import { lesionBox } from './lesion-box.js';
import { LesionMaskError } from './lesion-mask-error.js';

/** Voxels of 2 mm3 in a row: components of 3 (label 1), 2 (label 9), 1 (label 1), 2 (label 4). */
const labels = [1, 1, 1, 0, 9, 9, 0, 1, 0, 4, 4];
const mask: Mask = createVolume({ data: Uint8Array.from(labels), size: [11, 1, 1], spacing: [2, 1, 1] });
const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    return LesionMaskError.isInstance(error) ? error.code : `not ours: ${error}`;
  }
  return undefined;
};

describe('cleanMask', () => {
  test('without options nothing changes', () => {
    const clean = cleanMask(mask);
    expect([...clean.mask.data]).toEqual(labels);
    expect(clean).toMatchObject({ components: 4, warnings: [] });
  });
  test('labels keep their values', () => {
    expect([...cleanMask(mask, { labels: [1, 9] }).mask.data]).toEqual([1, 1, 1, 0, 9, 9, 0, 1, 0, 0, 0]);
  });
  test('small components go, with a warning', () => {
    const clean = cleanMask(mask, { minimumVolumeMm3: 4 });
    expect([...clean.mask.data]).toEqual([1, 1, 1, 0, 9, 9, 0, 0, 0, 4, 4]);
    expect(clean.warnings).toEqual(['dropped 1 of 4 mask components (2.0 mm3 together)']);
  });
  test('the largest; of equal ones the first', () => {
    expect([...cleanMask(mask, { largest: 1 }).mask.data]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...cleanMask(mask, { largest: 2 }).mask.data]).toEqual([1, 1, 1, 0, 9, 9, 0, 0, 0, 0, 0]);
  });
  test('the given mask stays as it was', () => {
    cleanMask(mask, { labels: [9] });
    expect([...mask.data]).toEqual(labels);
  });
  test('nothing left: EMPTY_MASK that says what there was', () => {
    expect(() => cleanMask(mask, { labels: [7] })).toThrow(/labels 7; it has the labels 1, 4, 9/);
    expect(() => cleanMask(mask, { minimumVolumeMm3: 50 })).toThrow(/largest has 6.0/);
    expect(codeOf(() => cleanMask(mask, { labels: [7] }))).toBe('EMPTY_MASK');
    expect(codeOf(() => cleanMask(mask, { largest: 0 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => cleanMask(mask, { minimumVolumeMm3: Number.NaN }))).toBe('INVALID_ARGUMENT');
  });
});

describe('chooseSlices', () => {
  const areas = [0, 4, 9, 7, 0, 9, 1, 0];
  test.each([
    ['all', 3, [0, 1, 2, 3, 4, 5, 6, 7]],
    ['largestArea', 2, [2, 5]],
    ['largestArea', 3, [2, 3, 5]],
    ['largestArea', 9, [1, 2, 3, 5, 6]],
    ['lesionUniform', 1, [3]],
    ['lesionUniform', 2, [2, 5]],
    ['lesionUniform', 5, [1, 2, 3, 5, 6]],
    ['lesionUniform', 32, [1, 2, 3, 5, 6]],
  ] as const)('%s, %d', (choice, count, expected) => {
    expect(chooseSlices(areas, { choice, count })).toEqual(expected);
  });
  test('evenly spread and symmetric over a long lesion', () => {
    expect(chooseSlices(new Array(100).fill(1), { choice: 'lesionUniform', count: 4 })).toEqual([
      12, 37, 62, 87,
    ]);
  });
  test('bad input', () => {
    expect(codeOf(() => chooseSlices([0, 0], { choice: 'all', count: 1 }))).toBe('EMPTY_MASK');
    expect(codeOf(() => chooseSlices(areas, { choice: 'largestArea', count: 0 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => chooseSlices(areas, { choice: 'middle' as never, count: 1 }))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

test('lesionBox is square in mm, centred, with the margin on each side', () => {
  const data = new Uint8Array(20 * 30 * 3);
  for (const [x, y] of [
    [5, 10],
    [8, 13],
    [6, 19],
  ] as const)
    data[x + 20 * (y + 30)] = 1;
  const box = lesionBox(createVolume({ data, size: [20, 30, 3], spacing: [2, 0.5, 1] }), { marginMm: 3 });
  expect(box).toEqual({
    centre: [6.5, 14.5],
    sideMm: 8 + 6,
    lesion: { minimum: [5, 10, 1], maximum: [8, 19, 1] },
  });
});
