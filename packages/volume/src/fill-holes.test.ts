import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createVolume } from './create-volume.js';
import { fillHoles } from './fill-holes.js';
import type { Vec3 } from './types.js';

const { size, masks } = JSON.parse(
  readFileSync(new URL('./__fixtures__/holes.json', import.meta.url), 'utf8'),
) as { size: Vec3; masks: Record<string, Record<string, string>> };
const bytesOf = (packed: string): Uint8Array => Uint8Array.from(Buffer.from(packed, 'base64'));
const cases = Object.keys(masks).flatMap((share) =>
  Object.keys(masks[share]!)
    .filter((name) => name !== 'mask')
    .map((name) => [share, name] as const),
);

test.each(cases)('noise of density %s, %s: equals scipy.ndimage.binary_fill_holes', (share, name) => {
  const mask = createVolume({ data: bytesOf(masks[share]!.mask!), size });
  const perSlice = name.startsWith('slices') ? (Number(name.slice(7, 8)) as 0 | 1 | 2) : undefined;
  const connectivity = name.endsWith('26') ? 26 : 6;
  const before = mask.data.slice();
  expect([...fillHoles(mask, { connectivity, perSlice }).data]).toEqual([...bytesOf(masks[share]![name]!)]);
  expect(mask.data).toEqual(before);
});

test('noise has holes that are filled', () => {
  const { mask, 6: filled } = masks['0.7']!;
  const count = (packed: string): number => bytesOf(packed).reduce((sum, v) => sum + v, 0);
  expect(count(filled!)).toBeGreaterThan(count(mask!));
});

test('labels stay; a hole gets the label that most of its faces touch, of equal ones the smallest', () => {
  const draw = (rows: string[]): number[] => rows.flatMap((row) => [...row].map(Number));
  const mask = createVolume({
    data: Int16Array.from(
      draw(['0555550', '0500240', '0522230', '0333330', '0303330', '0333330', '9000000']),
    ),
    size: [7, 7, 1],
  });
  const filled = fillHoles(mask, { perSlice: 2 });
  // the upper hole touches 5 three times and 2 three times; the lower one is among 3s
  expect([...filled.data]).toEqual(
    draw(['0555550', '0522240', '0522230', '0333330', '0333330', '0333330', '9000000']),
  );
  expect(filled.data).toBeInstanceOf(Int16Array);
  expect([...fillHoles(mask).data]).toEqual([...mask.data]); // one slice is all edge
});

test('an empty mask stays empty; other options are refused', () => {
  const empty = createVolume({ data: new Uint8Array(8), size: [2, 2, 2] });
  expect([...fillHoles(empty).data]).toEqual([...empty.data]);
  for (const options of [{ connectivity: 18 }, { perSlice: 3 }, { perSlice: true }]) {
    expect(() => fillHoles(empty, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  }
});
