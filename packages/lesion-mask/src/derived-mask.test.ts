import { createVolume, type Mask, type Vec3, type Volume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { agreement } from './agreement.js';
import { chooseSlices } from './choose-slices.js';
import { cleanMask } from './clean-mask.js';
import { lesionBags } from './lesion-bags.js';
import { lesionContactSheet } from './lesion-contact-sheet.js';
import { lesionInstances } from './lesion-instances.js';
import { LesionMaskError } from './lesion-mask-error.js';
import { type LesionSlicesOptions, lesionSlices } from './lesion-slices.js';
import { maskQuality } from './mask-quality.js';
import { peritumouralRing } from './peritumoural-ring.js';

const size: Vec3 = [20, 16, 10];
const spacing: Vec3 = [1, 1, 2.5];
function boxes(...all: [label: number, first: Vec3, last: Vec3][]): Mask {
  const mask = createVolume({ data: new Uint8Array(3200), size, spacing });
  for (const [label, first, last] of all) {
    for (let z = first[2]; z <= last[2]; z++)
      for (let y = first[1]; y <= last[1]; y++)
        for (let x = first[0]; x <= last[0]; x++) mask.data[x + 20 * (y + 16 * z)] = label;
  }
  return mask;
}
const two = boxes([1, [3, 3, 2], [7, 7, 4]], [2, [13, 8, 6], [15, 10, 7]]); // 75 and 18 voxels
const ct: Volume = createVolume({ data: new Int16Array(3200).fill(40), size, spacing });
const codes = (mask: Mask, options = {}) => maskQuality(mask, options).flags.map((flag) => flag.code);

describe('cleanMask', () => {
  const gap = boxes([1, [3, 3, 2], [7, 4, 4]], [1, [3, 6, 2], [7, 7, 4]], [9, [15, 15, 9], [15, 15, 9]]);
  gap.data[5 + 20 * (5 + 16 * 3)] = 0;
  test('every step is recorded with voxels before and after', () => {
    const { mask, steps, components } = cleanMask(gap, {
      labels: [1],
      closingMm: 1.5,
      fillHoles: true,
      minimumVolumeMm3: 10,
      largest: 1,
    });
    expect(steps).toEqual([
      { step: 'labels', parameters: { labels: [1] }, voxelsBefore: 61, voxelsAfter: 60 },
      { step: 'closing', parameters: { mm: 1.5 }, voxelsBefore: 60, voxelsAfter: 75 },
      { step: 'fillHoles', parameters: {}, voxelsBefore: 75, voxelsAfter: 75 },
      {
        step: 'minimumVolume',
        parameters: { mm3: 10, componentsBefore: 1 },
        voxelsBefore: 75,
        voxelsAfter: 75,
      },
      { step: 'largest', parameters: { count: 1, componentsBefore: 1 }, voxelsBefore: 75, voxelsAfter: 75 },
    ]);
    expect(mask.data).toEqual(boxes([1, [3, 3, 2], [7, 7, 4]]).data);
    expect(components).toBe(1);
  });
  test('what was not asked for is not done', () => {
    const { mask, steps } = cleanMask(gap);
    expect(steps).toEqual([]);
    expect(mask.data).toEqual(gap.data);
  });
  test('labels close for themselves', () => {
    const pair = boxes([1, [3, 3, 2], [7, 4, 4]], [2, [3, 6, 2], [7, 7, 4]]);
    expect(cleanMask(pair, { closingMm: 1.5 }).mask.data).toEqual(pair.data);
  });
  test('a derived mask without lesion is NO_LESION with its steps', () => {
    let caught: unknown;
    try {
      cleanMask(two, { minimumVolumeMm3: 1e4, source: 'derived' });
    } catch (error) {
      caught = error;
    }
    expect(LesionMaskError.isInstance(caught) && caught.code).toBe('NO_LESION');
    expect((caught as LesionMaskError).message).toMatch(
      /^no lesion was found: none of the mask's 2 components/,
    );
    expect((caught as LesionMaskError).steps.at(-1)).toMatchObject({ step: 'minimumVolume', voxelsAfter: 0 });
  });
});

test('a ring stops at air and bone, and does not go on behind them', () => {
  const lesion = boxes([1, [8, 4, 3], [10, 6, 3]]);
  const walled = { ...ct, data: ct.data.slice() };
  // bone at x = 12 in every row and slice; air below y = 3
  for (let at = 0; at < 3200; at++) {
    if (at % 20 === 12) walled.data[at] = 800;
    if (Math.floor(at / 20) % 16 < 3) walled.data[at] = -900;
  }
  const { mask } = peritumouralRing(walled, lesion, { mm: 4 });
  const xs = new Set<number>();
  mask.data.forEach((v, at) => {
    if (v === 0) return;
    xs.add(at % 20);
    expect(Math.floor(at / 20) % 16).toBeGreaterThanOrEqual(3);
    expect(lesion.data[at]).toBe(0);
  });
  expect([...xs].sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]); // 13 and 14 lie behind the bone
  expect(
    peritumouralRing(walled, lesion, { mm: 2, limits: { minimum: 2000, maximum: 3000 } }).warnings,
  ).toHaveLength(1);
});

test('instances: largest first, source labels kept, near ones merged on request', () => {
  const { mask, instances } = lesionInstances(two);
  expect(instances.map(({ label, sourceLabels, voxels }) => [label, sourceLabels, voxels])).toEqual([
    [1, [1], 75],
    [2, [2], 18],
  ]);
  expect(instances[1]).toMatchObject({
    volumeMm3: 45,
    box: { minimum: [13, 8, 6], maximum: [15, 10, 7] },
    centreMm: [14, 9, 16.25],
  });
  expect(mask.data[14 + 20 * (9 + 16 * 6)]).toBe(2);
  expect(lesionInstances(two, { mergeWithinMm: 12 }).instances).toMatchObject([
    { voxels: 93, sourceLabels: [1, 2] },
  ]);
});

test('quality flags', () => {
  expect(codes(two)).toEqual([]);
  expect(maskQuality(two)).toMatchObject({ volumeMm3: 232.5, components: 2, confidence: null });
  expect(codes(boxes())).toEqual(['EMPTY']);
  expect(codes(boxes([1, [5, 5, 5], [5, 5, 5]]))).toEqual(['TINY']);
  expect(codes(two, { largestShare: 0.9 })).toEqual(['FRAGMENTED']);
  expect(codes(boxes([1, [0, 3, 3], [5, 5, 9]]))).toEqual(['TOUCHES_BORDER']);
  expect(maskQuality(boxes([1, [0, 3, 3], [5, 5, 9]])).flags[0]!.message).toMatch(/first x, last z/);
  expect(codes(two, { largestMm3: 200 })).toEqual(['IMPLAUSIBLE_VOLUME']);
  const probability = {
    ...two,
    data: Float32Array.from(two.data, (v) => (v === 1 ? 0.6 : v === 2 ? 0.9 : 0.1)),
  };
  expect(codes(two, { probability })).toEqual(['LOW_CONFIDENCE']);
  expect(maskQuality(two, { probability }).confidence).toBeCloseTo((75 * 0.6 + 18 * 0.9) / 93, 6);
  expect(codes(two, { probability, confidence: 0.6 })).toEqual([]);
});

test('agreement: Dice, HD95, volume error; empty masks have no distance', () => {
  const shifted = boxes([1, [4, 3, 2], [8, 7, 4]]);
  const first = boxes([1, [3, 3, 2], [7, 7, 4]]);
  const found = agreement(shifted, first);
  expect(found.dice).toBeCloseTo((2 * 60) / 150, 12);
  expect(found).toMatchObject({ hausdorff95Mm: 1, volumeErrorMm3: 0, relativeVolumeError: 0 });
  expect(agreement(two, first).relativeVolumeError).toBeCloseTo(18 / 75, 12);
  expect(agreement(boxes(), first)).toMatchObject({ dice: 0, hausdorff95Mm: null, relativeVolumeError: -1 });
  expect(agreement(boxes(), boxes())).toMatchObject({
    dice: null,
    hausdorff95Mm: null,
    relativeVolumeError: null,
  });
  expect(() => agreement({ ...first, origin: [5, 0, 0] }, first)).toThrow(/another grid/);
});

const options: LesionSlicesOptions = {
  input: 'ct',
  field: 'lesionBox',
  marginMm: 1,
  window: { level: 40, width: 400 },
  spacing: null,
  slices: { choice: 'lesionUniform', count: 2 },
  imageSize: 12,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

test('lesionBearing takes every slice with lesion', () => {
  expect(chooseSlices([0, 2, 0, 5, 1], { choice: 'lesionBearing', count: 1 })).toEqual([1, 3, 4]);
});

test('slices across the axis of acquisition', () => {
  // sagittal slices: the volume's x runs to the head, y to the back, z to the left, 4 mm apart
  const sagittal = {
    ...ct,
    spacing: [1, 1, 4] as Vec3,
    direction: [0, 0, 1, 0, 1, 0, 1, 0, 0] as const,
  };
  const mask = { ...two, spacing: sagittal.spacing, direction: sagittal.direction };
  const along = lesionSlices(sagittal, mask, {
    ...options,
    axis: 'acquisition',
    slices: { choice: 'lesionBearing', count: 1 },
  });
  expect(along.sliceIndices).toEqual([2, 3, 4, 6, 7]);
  expect(along.sliceLocationsMm).toEqual([8, 12, 16, 24, 28]);
  const axial = lesionSlices(sagittal, mask, { ...options, slices: { choice: 'lesionBearing', count: 1 } });
  expect(axial.sliceIndices).toEqual([3, 4, 5, 6, 7, 13, 14, 15]);
  const level = { ...sagittal, spacing: [1, 1, 1.02] as Vec3 };
  const same = lesionSlices(level, { ...mask, spacing: level.spacing }, { ...options, axis: 'acquisition' });
  expect(same.sliceIndices.every((at) => axial.sliceIndices.includes(at))).toBe(true);
});

test('several lesions: one bag with a joint box, one bag of each in its own box, or a bag each', () => {
  const [joint] = lesionBags(ct, two, options, { bags: 'joint' });
  expect(joint!.slices.pixels).toEqual(lesionSlices(ct, two, options).pixels);
  const each = lesionBags(ct, two, options, { bags: 'each' });
  expect(each.map((bag) => bag.lesionOfSlice)).toEqual([
    [1, 1],
    [2, 2],
  ]);
  const [together, ...rest] = lesionBags(ct, two, options, { bags: 'together' });
  expect(rest).toEqual([]);
  expect(together!.lesionOfSlice).toEqual([1, 1, 2, 2]);
  expect(together!.slices).toMatchObject({ count: 4, lesionVolumeMm3: 232.5 });
  expect(together!.slices.sliceIndices).toEqual(each.flatMap((bag) => bag.slices.sliceIndices));
  expect(together!.slices.lesion.subarray(2 * 144)).toEqual(each[1]!.slices.lesion);
  expect(lesionBags(ct, two, options, { bags: 'each', largest: 1 })).toHaveLength(1);
});

describe('lesionContactSheet', () => {
  const window = { level: 40, width: 400 };
  const count = (data: Uint8Array, colour: readonly number[]): number => {
    let found = 0;
    for (let at = 0; at < data.length; at += 3)
      if (colour.every((v, channel) => data[at + channel] === v)) found++;
    return found;
  };
  test('shows the lesion in orange and the reference in blue', () => {
    const sheet = lesionContactSheet(ct, two, { window, count: 4, tileSize: 64 });
    expect(sheet).toMatchObject({ width: 6 + 4 * 70, channels: 3 });
    expect(sheet.data.length).toBe(sheet.width * sheet.height * 3);
    expect(count(sheet.data, [230, 159, 0])).toBeGreaterThan(200);
    expect(count(sheet.data, [86, 180, 233])).toBe(0);
    const compared = lesionContactSheet(ct, two, {
      window,
      count: 4,
      tileSize: 64,
      reference: boxes([1, [2, 2, 2], [9, 9, 4]]),
    });
    expect(count(compared.data, [86, 180, 233])).toBeGreaterThan(100);
  });
  test('an empty mask is shown, not refused', () => {
    const sheet = lesionContactSheet(ct, boxes(), { window, count: 3, tileSize: 64 });
    expect(count(sheet.data, [255, 255, 255])).toBeGreaterThan(50);
  });
  test('flags lengthen the head', () => {
    const flags = [{ code: 'TINY' as const, message: 'small' }];
    const more = lesionContactSheet(ct, two, { window, tileSize: 64, flags: [...flags, ...flags] });
    const one = lesionContactSheet(ct, two, { window, tileSize: 64, flags });
    expect(more.height - one.height).toBe(11);
  });
});
