import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { madeUpRandom, madeUpSlice } from './__fixtures__/made-up-report.js';
import { encodePng, ReportError, slicesToPng } from './index.js';
import { outlinePath, outlinePixels } from './lesion-outline.js';

const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return ReportError.isInstance(error) && error.code;
  }
  return 'no error';
};
const slices = [0.5, 0.2, 0.3].map((weight, i) => madeUpSlice(10 + i, weight, 48, 8, madeUpRandom(i)));

test('a PNG comes back as it was', () => {
  for (const channels of [1, 3, 4] as const) {
    const data = Uint8Array.from({ length: 5 * 3 * channels }, (_, i) => (i * 37) % 256);
    const image = decode(encodePng({ width: 5, height: 3, channels, data }));
    expect([image.width, image.height, image.channels]).toEqual([5, 3, channels]);
    expect([...image.data]).toEqual([...data]);
  }
  expect(code(() => encodePng({ width: 5, height: 3, channels: 1, data: new Uint8Array(14) }))).toBe(
    'IMAGE_SIZE',
  );
});

test('the contact sheet has the slices, the outline and bars as long as the attention', () => {
  const image = decode(slicesToPng(slices, { columns: 3 }));
  const pixel = (x: number, y: number) => [
    ...image.data.slice((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
  ];
  expect(image.width).toBe(3 * 48 + 4 * 4);
  const grey = slices[0]!.pixels[24 * 48 + 2]!;
  expect(pixel(4 + 2, 4 + 24)).toEqual([grey, grey, grey]);
  const count = (wanted: number[], from: number, to: number) => {
    let found = 0;
    for (let y = 0; y < image.height; y++) {
      for (let x = from; x < to; x++) if (pixel(x, y).every((value, c) => value === wanted[c])) found++;
    }
    return found;
  };
  const border = outlinePixels(slices[0]!.lesion, 48).reduce((sum, value) => sum + value, 0);
  expect(border).toBeGreaterThan(20);
  expect(count([230, 159, 0], 4, 52)).toBe(border);
  // Two rows of bar: the most attended slice fills the width, 0.3 of 0.5 fills 29 of 48.
  expect(count([86, 180, 233], 4, 52)).toBe(2 * 48);
  expect(count([86, 180, 233], 4 + 2 * 52, 4 + 2 * 52 + 48)).toBe(2 * Math.round((48 * 0.3) / 0.5));
});

test('no attention at all and lesions at the border are drawn', () => {
  const lesion = new Uint8Array(16).fill(1);
  const slice = { index: 0, weight: 0, pixels: new Uint8Array(16), lesion, size: 4 };
  expect(decode(slicesToPng([slice])).width).toBe(12);
  expect(outlinePath(lesion, 4)).toBe('M0 0h4M0 0v4M0 4h4M4 0v4');
  expect(outlinePath(new Uint8Array(16), 4)).toBe('');
});

test('the path goes round holes along pixel edges', () => {
  const ring = Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1);
  const length = [...outlinePath(ring, 3).matchAll(/[hv](\d+)/g)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  expect(length).toBe(12 + 4);
});

test('refuses what it cannot draw', () => {
  expect(code(() => slicesToPng([]))).toBe('INVALID_INPUT');
  expect(code(() => slicesToPng(slices, { columns: 0 }))).toBe('INVALID_INPUT');
  expect(code(() => slicesToPng([{ ...slices[0]!, weight: Number.NaN }]))).toBe('INVALID_INPUT');
  expect(code(() => slicesToPng([slices[0]!, madeUpSlice(1, 0.1, 24, 4, madeUpRandom(1))]))).toBe(
    'INVALID_INPUT',
  );
  expect(code(() => slicesToPng([{ ...slices[0]!, size: 47 }]))).toBe('IMAGE_SIZE');
});

test('zoom makes every slice pixel a square', () => {
  const slice = {
    index: 3,
    weight: 1,
    pixels: Uint8Array.of(10, 20, 30, 40),
    lesion: new Uint8Array(4),
    size: 2,
  };
  const plain = decode(slicesToPng([slice]));
  const zoomed = decode(slicesToPng([slice], { zoom: 5 }));
  expect(zoomed.width - plain.width).toBe(8);
  const grey = (x: number, y: number) => zoomed.data[(y * zoomed.width + x) * 3];
  expect([grey(4, 4), grey(8, 8), grey(9, 4), grey(13, 13)]).toEqual([10, 10, 20, 40]);
  expect(() => slicesToPng([slice], { zoom: 1.5 })).toThrowError(/zoom/);
});
