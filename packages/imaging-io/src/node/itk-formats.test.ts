import { symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { imageOf } from '../read-image.js';
import { startReading } from '../reading.js';
import { memoryInput, randomNumbers, testReading } from '../test-fuzz.js';
import { temporaryFolders } from '../test-input-kinds.js';
import { itkFormats } from './itk-formats.js';
import { pathInput } from './path-input.js';
import { readMask } from './read-mask.js';
import { readVolume } from './read-volume.js';
import { zlibExpander } from './zlib-expander.js';

/** Written and read by tooling/reference/imaging_itk_formats.py; without `values` it has to be refused. */
interface ItkCase {
  readonly file: string;
  readonly bytes: string;
  readonly type: string;
  readonly size: number[];
  readonly spacing: number[];
  readonly origin: number[];
  readonly direction: number[];
  readonly values?: number[];
}
const cases = JSON.parse(
  await readFile(new URL('../__fixtures__/itk-formats.json', import.meta.url), 'utf8'),
) as ItkCase[];
const readable = cases.filter(({ values }) => values !== undefined);

const folders = temporaryFolders();
afterAll(folders.remove);

const caseOf = (file: string): ItkCase => cases.find((one) => one.file === file)!;
const bytesOf = ({ bytes }: ItkCase): Uint8Array => new Uint8Array(inflateSync(Buffer.from(bytes, 'base64')));
const written = (file: string, bytes = bytesOf(caseOf(file))): string =>
  join(folders.write([[file, bytes]]), file);

async function outcome(path: string): Promise<string> {
  return readVolume(path).then(
    () => 'read',
    (error: { code?: string; message: string }) => {
      expect(error.message).toContain(path);
      expect(error.message).not.toMatch(/SECRET|19010203/);
      return error.code ?? String(error);
    },
  );
}

/** MGH stores numbers as float32, from which the two readers compute in another order. */
const MM = 1e-5;
/** MINC's scaling, in float32 here and in float64 by nibabel. */
const SCALED = 1e-5;

describe('voxels and geometry are those of the reference', () => {
  test.each(readable.map((one) => [one.file, one] as const))('%s', async (file, expected) => {
    const volume = await readVolume(written(file));
    expect(volume.data.constructor.name.toLowerCase()).toBe(`${expected.type}array`);
    expect(volume.size).toEqual(expected.size);
    const off = (found: ArrayLike<number>, wanted: readonly number[]): number =>
      Math.max(...wanted.map((value, at) => Math.abs(value - found[at]!)));
    expect(off(volume.data, expected.values!)).toBeLessThanOrEqual(/^scaled/.test(file) ? SCALED : 0);
    expect(volume.data.length).toBe(expected.values!.length);
    expect(off(volume.spacing, expected.spacing)).toBeLessThan(MM);
    expect(off(volume.origin, expected.origin)).toBeLessThan(MM);
    expect(off(volume.direction, expected.direction)).toBeLessThan(1e-6);
    expect(volume.warnings.length).toBe(/gipl|vtk/.test(file) ? 1 : 0);
  });
});

describe('refused', () => {
  test.each([
    ['frames.mgh', 'UNSUPPORTED'], // several volumes
    ['unoriented.mgh', 'UNSUPPORTED'],
    ['sheared.mgh', 'UNSUPPORTED'],
    ['oriented.gipl', 'UNSUPPORTED'], // ITK would pass over it
    ['scaled.gipl', 'UNSUPPORTED'],
    ['irregular.mnc', 'UNSUPPORTED'],
    ['text.vtk', 'UNSUPPORTED'],
    ['long.vtk', 'UNSUPPORTED'], // 4 bytes where itk-wasm runs, 8 where it was written
    ['grid.vtk', 'UNSUPPORTED'],
    ['other.h5', 'CORRUPT'],
    ['huge.h5', 'TOO_LARGE'],
  ])('%s', async (file, code) => {
    expect(await outcome(written(file))).toBe(code);
  });

  test('a file of another format, with a bare number as the error', async () => {
    expect(await outcome(written('v.mnc', bytesOf(caseOf('int16.vtk'))))).toBe('CORRUPT');
    expect(await outcome(written('v.h5', bytesOf(caseOf('int16.mnc'))))).toBe('CORRUPT');
    expect(await outcome(written('v.mgz', bytesOf(caseOf('int16.gipl'))))).toBe('MALFORMED');
  });

  test('formats that were not compared', async () => {
    for (const file of ['v.mrc', 'v.tif', 'v.img', 'v.png']) {
      expect(await outcome(written(file, new Uint8Array(2000)))).toBe('UNSUPPORTED');
    }
  });

  test('a file that is not there, or too large', async () => {
    expect(await outcome('/nowhere/v.mgz')).toBe('NOT_FOUND');
    const { read } = itkFormats();
    const source = {
      name: 'v.mgh',
      size: 2 ** 30 + 1,
      read: () => new Uint8Array(0),
      close: () => undefined,
    };
    await expect(read(source, {}, testReading())).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('without the package, and in browsers', async () => {
    const file = written('int16.mgz');
    const missing = itkFormats(() => Promise.reject(new Error('Cannot find package')));
    await expect(imageOf(pathInput(file), {}, startReading(zlibExpander, {}, missing))).rejects.toMatchObject(
      {
        code: 'UNSUPPORTED',
        message: expect.stringContaining('pnpm add @itk-wasm/image-io'),
      },
    );
    const inMemory = memoryInput(new Map([['v.mgz', bytesOf(caseOf('int16.mgz'))]]), 'v.mgz');
    await expect(imageOf(inMemory, {}, testReading())).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('a file cut off anywhere is refused', () => {
  test.each([
    'int16.mgh',
    'int16.mgz',
    'int16.mgh.gz',
    'int16.mnc',
    'sagittal.mnc',
    'int16.gipl',
    'float64.gipl.gz',
    'int16.vtk',
    'int16.hdf5',
  ])('%s', async (file) => {
    const bytes = bytesOf(caseOf(file));
    const random = randomNumbers(3);
    // nibabel writes 20 bytes of scanning parameters behind the voxels of MGH files
    const end = file === 'int16.mgh' ? 284 + 120 : bytes.length;
    const cuts = [0, 1, 100, 300, end - 1, end - 2, ...Array.from({ length: 6 }, () => random(end))];
    for (const cut of cuts.filter((at) => at < end)) {
      const code = await outcome(written(file, bytes.subarray(0, cut)));
      expect([cut, /^(TRUNCATED|CORRUPT|MALFORMED|UNSUPPORTED)$/.test(code) || code]).toEqual([cut, true]);
    }
  });

  test('a compressed one with other bytes in the middle', async () => {
    const bytes = bytesOf(caseOf('int16.mgz'));
    bytes[bytes.length - 100]! ^= 0x55;
    expect(await outcome(written('int16.mgz', bytes))).toMatch(/CORRUPT|TRUNCATED|MALFORMED/);
  });
});

test('exactly the file given: no sibling, and behind a link', async () => {
  const [one, other] = [caseOf('float64.gipl.gz'), caseOf('float64.gipl')];
  const folder = folders.write([
    ['v.gipl.gz', bytesOf(one)],
    ['v.gipl', bytesOf(caseOf('uint8.gipl'))],
  ]);
  expect([...(await readVolume(join(folder, 'v.gipl.gz'))).data]).toEqual(other.values);
  const link = join(folders.write([]), 'linked.gipl');
  symlinkSync(join(folder, 'v.gipl'), link);
  expect([...(await readVolume(link)).data]).toEqual(caseOf('uint8.gipl').values);
});

test('NaN voxels are refused, or allowed', async () => {
  const bytes = bytesOf(caseOf('float32.mgh'));
  new DataView(bytes.buffer).setFloat32(284, Number.NaN);
  const path = written('float32.mgh', bytes);
  expect(await outcome(path)).toBe('NAN_VOXELS');
  expect((await readVolume(path, { allowNaN: true })).data[0]).toBeNaN();
});

test('masks', async () => {
  const path = written('uint8.mgz');
  const like = await readVolume(written('int16.mgz'));
  const mask = await readMask(path, { like });
  expect([...mask.data]).toEqual(caseOf('uint8.mgz').values);
  expect(mask.direction).toEqual(like.direction);
  await expect(readMask(path, { like: { ...like, origin: [0, 0, 0] } })).rejects.toMatchObject({
    code: 'GRID_MISMATCH',
  });
});
