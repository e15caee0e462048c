import { createVolume, type Mask } from '@onco-response/volume';
import { expect, test } from 'vitest';
import { doubleThickness } from './double-thickness.js';
import { caseStream, STRESS_CHANGES } from './stress-changes.js';

/** 3 x 2 x 5 voxels of value 10 z, spacing 1 x 1 x 2 mm; lesion in slice 1 and 4 at x = 1. */
function example() {
  const size = [3, 2, 5] as const;
  const data = Float32Array.from({ length: 30 }, (_, at) => 10 * Math.floor(at / 6));
  const lesionData = Uint8Array.from({ length: 30 }, (_, at) =>
    at % 3 === 1 && [1, 4].includes(Math.floor(at / 6)) ? 1 : 0,
  );
  const grid = { size, spacing: [1, 1, 2] as const, origin: [5, 6, 7] as const };
  return {
    volume: createVolume({ ...grid, data }),
    lesion: createVolume({ ...grid, data: lesionData }) as Mask,
  };
}

const change = (name: string) => STRESS_CHANGES.find((each) => each.name === name)!;
const values = (data: ArrayLike<number>) => [...new Set(Array.from(data))];

test('slices in pairs: averages, masks joined, the grid where their centres are', () => {
  const { volume, lesion } = doubleThickness(example());
  expect(volume.size).toEqual([3, 2, 3]);
  expect(volume.spacing).toEqual([1, 1, 4]);
  expect(volume.origin).toEqual([5, 6, 8]); // half of a 2 mm slice further
  expect(values(volume.data)).toEqual([5, 25, 40]); // the odd last slice with itself
  expect([0, 1, 2].map((z) => lesion.data[1 + 6 * z])).toEqual([1, 0, 1]);
  expect(lesion.origin).toEqual(volume.origin);
});

test('sagittal volumes are paired along the axis that runs to the head', () => {
  const { volume, lesion } = example();
  // Voxel axes run to the back, to the feet and to the left.
  const direction = [0, 0, 1, 1, 0, 0, 0, -1, 0] as const;
  const turned = doubleThickness({ volume: { ...volume, direction }, lesion: { ...lesion, direction } });
  expect(turned.volume.size).toEqual([3, 1, 5]);
  expect(turned.volume.spacing).toEqual([1, 2, 2]);
  expect(turned.volume.origin).toEqual([5, 6, 6.5]);
});

test('shifts and noise change the image alone; noise is the same draw at both strengths', () => {
  const images = example();
  const shifted = change('intensity \u221210 HU').apply(images, caseStream(1, 'a'))!;
  expect(values(shifted.volume.data)).toEqual([-10, 0, 10, 20, 30]);
  expect(shifted.lesion).toBe(images.lesion);
  const noise = (name: string, caseId = 'a') =>
    Array.from(
      change(name).apply(images, caseStream(1, caseId))!.volume.data as Float32Array,
      (value, at) => value - images.volume.data[at]!,
    );
  const [weak, strong] = [noise('noise of 10 HU'), noise('noise of 20 HU')];
  for (const [at, value] of weak.entries()) expect(strong[at]).toBeCloseTo(2 * value, 4);
  const deviation = Math.sqrt(weak.reduce((sum, value) => sum + value ** 2, 0) / weak.length);
  expect(deviation).toBeGreaterThan(6);
  expect(deviation).toBeLessThan(14);
  expect(noise('noise of 10 HU', 'b')).not.toEqual(weak);
});

test('masks that cannot be changed so are left out', () => {
  const images = example();
  const random = caseStream(1, 'a');
  expect(change('mask eroded by 2 mm').apply(images, random)).toBeUndefined();
  const dilated = change('mask dilated by 2 mm').apply(images, random)!.lesion.data;
  expect(dilated.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(4);
  // 2 mm reach the next voxel of 2.5 mm, whose surface is 1.25 mm away, and none of 5 mm; of 12 mm none at all.
  const square = (side: number) => {
    const data = Uint8Array.from({ length: 25 * 3 }, (_, at) =>
      Number(at >= 25 && at < 50 && at % 5 > 0 && at % 5 < 4),
    );
    const lesion = createVolume({ data, size: [5, 5, 3], spacing: [side, side, 2 * side] }) as Mask;
    const volume = createVolume({
      data: new Float32Array(75),
      size: [5, 5, 3],
      spacing: [side, side, 2 * side],
    });
    return (name: string) => change(name).apply({ volume, lesion }, random)?.lesion.data;
  };
  const voxels = (data: Uint8Array | undefined) => data?.reduce((sum, value) => sum + value, 0);
  expect(voxels(square(2.5)('mask dilated by 2 mm'))).toBe(25); // from 15
  expect(voxels(square(2.5)('mask eroded by 2 mm'))).toBe(5); // the slices above are 5 mm away
  expect(square(12)('mask dilated by 2 mm')).toBeUndefined();
  const missed = change('largest of several lesions missed').apply(images, random)!;
  expect(missed.lesion.data.reduce((sum, value) => sum + value, 0)).toBe(2); // one of two equal ones is left
  expect(change('largest of several lesions missed').apply(missed, random)).toBeUndefined();
});
