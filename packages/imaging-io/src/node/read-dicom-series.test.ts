import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { dicomBytes, type SliceTags } from '../test-dicom.js';
import { listDicomSeries } from './list-dicom-series.js';
import { readDicomSeries } from './read-dicom-series.js';
import { readVolume } from './read-volume.js';

const golden = JSON.parse(readFileSync(new URL('../__fixtures__/dicom.json', import.meta.url), 'utf8')) as {
  heights: number[];
  plain: number[];
  scaled: number[];
  series: { name: string; files: string[]; values: 'plain' | 'scaled' }[];
};
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderOf(files: Record<string, Uint8Array | string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'imaging-io-dicom-'));
  folders.push(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** A folder of slices at the given tags. */
const series = (slices: Partial<SliceTags>[], more: Record<string, Uint8Array | string> = {}): string =>
  folderOf({ ...Object.fromEntries(slices.map((tags, at) => [`${at}.dcm`, dicomBytes(tags)])), ...more });
const heights = (...z: number[]): Partial<SliceTags>[] => z.map((v) => ({ position: [0, 0, v] }));

describe('series written by pydicom', () => {
  test.each(golden.series.map((s) => [s.name, s] as const))('%s', async (_, { files, values }) => {
    const print = vi.spyOn(process.stdout, 'write');
    const folder = folderOf(
      Object.fromEntries(files.map((file, at) => [`${at}.dcm`, Buffer.from(file, 'base64')])),
    );
    const { volume } = await readDicomSeries(folder);
    expect(print).not.toHaveBeenCalled();
    print.mockRestore();
    expect(volume.size).toEqual([34, 32, 3]);
    expect(volume.spacing).toEqual([0.75, 0.5, 2.5]); // PixelSpacing is [row, column]
    expect(volume.origin).toEqual([10, -20, golden.heights[0]]);
    expect(volume.direction).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect([...volume.data]).toEqual(golden[values]);
    expect(volume.data).toBeInstanceOf(Int16Array);
  });

  test.each(['RLE', 'JPEG 2000', 'JPEG-LS', 'deflated', 'explicit little endian'])(
    '%s cut short is refused',
    async (name) => {
      const files = golden.series
        .find((s) => s.name === name)!
        .files.map((file) => Buffer.from(file, 'base64'));
      const folder = folderOf(
        Object.fromEntries(
          files.map((file, at) => [`${at}.dcm`, at === 1 ? file.subarray(0, file.length - 40) : file]),
        ),
      );
      await expect(readDicomSeries(folder)).rejects.toMatchObject({
        code: expect.stringMatching(/TRUNCATED|CORRUPT/),
      });
    },
  );
});

test('compressed pixels that do not decode', async () => {
  const files = golden.series
    .find((s) => s.name === 'JPEG 2000')!
    .files.map((file) => Buffer.from(file, 'base64'));
  const codestream = files[1]!.indexOf(Buffer.from([0xff, 0x4f, 0xff, 0x51]));
  files[1]!.fill(0xaa, codestream, codestream + 60);
  const folder = folderOf(Object.fromEntries(files.map((file, at) => [`${at}.dcm`, file])));
  await expect(readDicomSeries(folder)).rejects.toMatchObject({
    code: 'CORRUPT',
    message: expect.stringContaining(folder),
  });
});

describe('pixels', () => {
  test('oblique: direction columns are row, column and their cross product', async () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const tilted = [0, 1, 2].map((n) => ({
      orientation: [c, s, 0, 0, 0, -1],
      position: [10 - 2 * n * s, 5 + 2 * n * c, 3],
    }));
    const { volume } = await readDicomSeries(series(tilted));
    const [row, column] = [
      [c, s, 0],
      [0, 0, -1],
    ];
    const normal = [-s, c, 0]; // row x column
    [0, 1, 2].forEach((axis) => {
      expect(volume.direction[3 * axis]).toBeCloseTo(row[axis]!, 6);
      expect(volume.direction[3 * axis + 1]).toBeCloseTo(column[axis]!, 6);
      expect(volume.direction[3 * axis + 2]).toBeCloseTo(normal[axis]!, 6);
    });
    expect(volume.spacing[2]).toBeCloseTo(2, 6);
    expect(volume.origin).toEqual([10, 5, 3]);
  });
  test('the sign bit is bit BitsStored - 1; bits above it are overlays', async () => {
    const pixels = Uint16Array.from([0x0fff, 0x0800, 0x07ff, 0xf001, 0, 1]);
    const tags = { bitsStored: 12, signed: true, pixels, intercept: 0 };
    const { volume } = await readDicomSeries(
      series([
        { ...tags, position: [0, 0, 0] },
        { ...tags, position: [0, 0, 1] },
      ]),
    );
    expect([...volume.data.subarray(0, 6)]).toEqual([-1, -2048, 2047, 1, 0, 1]);
  });
  test('values beyond int16 widen, fractions of a slope give floats', async () => {
    const pixels = Uint16Array.from([65535, 0, 1, 2, 3, 4]);
    const wide = await readDicomSeries(series([{ pixels, bitsStored: 16, intercept: -1024 }]));
    expect(wide.volume.data).toBeInstanceOf(Int32Array);
    expect(wide.volume.data[0]).toBe(64511);
    const pet = await readDicomSeries(
      series([
        { pixels, bitsStored: 16, slope: 0.5, intercept: 0 },
        { pixels, bitsStored: 16, slope: 2, intercept: 0, position: [0, 0, 1] },
      ]),
    );
    expect([...pet.volume.data]).toEqual([32767.5, 0, 0.5, 1, 1.5, 2, 131070, 0, 2, 4, 6, 8]);
  });
  test('MONOCHROME1 keeps its values', async () => {
    const { volume } = await readDicomSeries(series([{ photometric: 'MONOCHROME1', intercept: 0 }]));
    expect([...volume.data]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('geometry that is refused', () => {
  test.each<[string, Partial<SliceTags>[], string]>([
    ['a missing slice', heights(0, 2, 4, 8, 10), 'MISSING_SLICES'],
    ['a slice missing after the first', heights(0, 4, 6, 8, 10, 12, 14), 'MISSING_SLICES'],
    ['a slice a third of a step off', heights(0, 2, 4.7, 6, 8), 'MISSING_SLICES'],
    ['a slice twice', heights(0, 2, 2, 4), 'DUPLICATE_SLICES'],
    ['two phases in one series', heights(0, 2, 4, 0, 2, 4), 'DUPLICATE_SLICES'],
    ['a tilted gantry', [0, 1, 2, 3].map((n) => ({ position: [0, 0.5 * n, 2 * n] })), 'GANTRY_TILT'],
    [
      'one slice shifted sideways',
      [{ position: [0, 0, 0] }, { position: [3, 0, 2] }, { position: [0, 0, 4] }],
      'GANTRY_TILT',
    ],
    [
      'one slice turned',
      [...heights(0, 2), { position: [0, 0, 4], orientation: [0, 1, 0, 0, 0, -1] }],
      'MIXED_ORIENTATION',
    ],
    [
      'one slice of another size',
      [...heights(0, 2), { position: [0, 0, 4], rows: 3, columns: 2 }],
      'GRID_MISMATCH',
    ],
    [
      'one slice of another pixel spacing',
      [...heights(0, 2), { position: [0, 0, 4], spacing: [1, 0.9] }],
      'GRID_MISMATCH',
    ],
  ])('%s', async (_, slices, code) => {
    await expect(readDicomSeries(series(slices))).rejects.toMatchObject({ code });
  });
  test('positions rounded to 0.1 mm are no gap', async () => {
    const { volume } = await readDicomSeries(series(heights(0, 1.3, 2.5, 3.8, 5)));
    expect(volume.spacing[2]).toBeCloseTo(1.25, 12);
  });
  test('a single slice: its thickness, with a warning', async () => {
    const { volume, series: read } = await readDicomSeries(series([{ thickness: 4 }]));
    expect(volume.spacing[2]).toBe(4);
    expect(read.warnings).toHaveLength(1);
  });
});

describe('what else lies in the folder', () => {
  test('other files are ignored', async () => {
    const { volume } = await readDicomSeries(
      series(heights(0, 2), { 'notes.txt': 'x', DICOMDIR: 'x', 'z.dcm': 'no image' }),
    );
    expect(volume.size[2]).toBe(2);
  });
  test('localizers are left out with a warning, in the series or beside it', async () => {
    const localizer = {
      imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER',
      orientation: [0, 1, 0, 0, 0, -1],
      position: [0, 0, 1],
    };
    for (const seriesUid of ['1.2.3.4', '1.2.3.5']) {
      const folder = series([...heights(0, 2, 4), { ...localizer, seriesUid }]);
      const { volume, series: read } = await readDicomSeries(folder);
      expect(volume.size[2]).toBe(3);
      expect(read.warnings.join()).toMatch(/localizer/);
      expect((await readVolume(folder)).warnings).toEqual(read.warnings);
    }
  });
  test('several series: one has to be named', async () => {
    const folder = series([
      ...heights(0, 2),
      ...heights(0, 2, 4).map((tags) => ({ ...tags, seriesUid: '1.2.3.5' })),
    ]);
    await expect(readDicomSeries(folder)).rejects.toMatchObject({ code: 'SEVERAL_SERIES' });
    expect((await readDicomSeries(folder, { seriesUid: '1.2.3.5' })).volume.size[2]).toBe(3);
    await expect(readDicomSeries(folder, { seriesUid: '9' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await listDicomSeries(folder)).map((s) => [s.seriesUid, s.modality, s.images])).toEqual([
      ['1.2.3.4', 'CT', 2],
      ['1.2.3.5', 'CT', 3],
    ]);
  });
  test('a screenshot beside the series', async () => {
    const folder = series([...heights(0, 2), { seriesUid: '1.9', photometric: 'RGB' }]);
    expect((await readDicomSeries(folder)).series.warnings.join()).toMatch(/1 series/);
  });
  test('nothing, or nothing readable', async () => {
    await expect(readDicomSeries(folderOf({ 'a.txt': 'x' }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readDicomSeries(join(folderOf({}), 'missing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readDicomSeries([])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

const whole = dicomBytes({ position: [0, 0, 4] });
test.each([10, 100, 140, 300, whole.length - 20, whole.length - 2])(
  'a file cut to %d bytes is refused',
  async (length) => {
    const cut = whole.subarray(0, length);
    const error: Error = await readDicomSeries(series(heights(0, 2), { 'c.dcm': cut })).catch((e) => e);
    expect(error).toMatchObject({
      code: expect.stringMatching(/TRUNCATED|MALFORMED/),
      message: expect.stringContaining('c.dcm'),
    });
  },
);

test('no patient in any error', async () => {
  for (const slices of [heights(0, 2, 2), heights(0, 2, 8), [{ photometric: 'RGB' }], [{ rows: 0 }]]) {
    const error: Error = await readDicomSeries(series(slices)).catch((e) => e);
    expect(`${error.stack} ${error.cause} ${JSON.stringify(error)}`).not.toMatch(/Doe|SECRET/);
  }
});
