import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Vec3, Volume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { ImagingError } from './imaging-error.js';
import { readMetaImage, writeMetaImage } from './meta-image.js';
import type { ReadVolume } from './nifti.js';
import { readNrrd, writeNrrd } from './nrrd.js';

interface Golden {
  name: string;
  ending: string;
  file: string;
  dataFile?: string;
  type: string;
  size: number[];
  spacing: number[];
  origin: number[];
  direction: number[];
  values: number[];
}
const { cases } = JSON.parse(
  readFileSync(new URL('./__fixtures__/nrrd-metaimage.json', import.meta.url), 'utf8'),
) as { cases: Golden[] };
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const caseNamed = (name: string): Golden => cases.find((golden) => golden.name === name)!;

function read({ ending, file, dataFile }: Golden): Promise<ReadVolume> {
  const options = dataFile === undefined ? {} : { dataFile: bytesOf(dataFile) };
  return /n(rrd|hdr)/.test(ending) ? readNrrd(bytesOf(file), options) : readMetaImage(bytesOf(file), options);
}

function expectGrid(found: Volume, wanted: Pick<Golden, 'size' | 'spacing' | 'origin' | 'direction'>): void {
  expect(found.size).toEqual(wanted.size);
  for (const part of ['spacing', 'origin', 'direction'] as const) {
    found[part].forEach((value, at) => {
      // text headers hold 15 digits and more; the oblique headers written by hand hold 17
      expect(Math.abs(value - wanted[part][at]!)).toBeLessThan(1e-9);
    });
  }
}

describe('as SimpleITK reads it', () => {
  test.each(cases.map((golden) => [golden.name, golden] as const))('%s', async (_, golden) => {
    const volume = await read(golden);
    expect([...volume.data]).toEqual(golden.values);
    expectGrid(volume, golden);
    const wanted = golden.type === 'int64' ? 'int32' : golden.type;
    expect(volume.data.constructor.name.toLowerCase()).toBe(`${wanted}array`);
    expect(volume.warnings).toHaveLength(golden.name === 'nrrd spacings only' ? 1 : 0);
  });
});

describe('what is written', () => {
  test.each(cases.map((golden) => [golden.name, golden] as const))(
    '%s reads back the same',
    async (_, golden) => {
      const volume = await read(golden);
      const before = volume.data.slice();
      for (const compress of [false, true]) {
        for (const again of [
          await readNrrd(await writeNrrd(volume, { compress })),
          await readMetaImage(await writeMetaImage(volume, { compress })),
        ]) {
          expect(again.data).toEqual(volume.data);
          expect(again.warnings).toEqual([]);
          expectGrid(again, volume as unknown as Golden);
        }
      }
      expect(volume.data).toEqual(before);
    },
  );

  test.each([
    ['voxels that do not fit the size', { size: [9, 4, 3] as Vec3 }, 'INVALID_VOLUME'],
    ['a spacing of NaN', { spacing: [1, Number.NaN, 1] as Vec3 }, 'INVALID_VOLUME'],
    ['voxels in a plain array', { data: [1, 2] as unknown as Int16Array }, 'UNSUPPORTED'],
  ])('%s: refused', async (_, part, code) => {
    const volume = { ...(await read(caseNamed('int16 nrrd compressed'))), ...part };
    await expect(writeNrrd(volume)).rejects.toMatchObject({ code });
    await expect(writeMetaImage(volume)).rejects.toMatchObject({ code });
  });
});

test('reading leaves the bytes as they were', async () => {
  const big = bytesOf(caseNamed('mha big endian').file);
  const before = big.slice();
  (await readMetaImage(big)).data[0] = 99;
  expect(big).toEqual(before);
});

const VOXELS = new Uint8Array(new Int16Array(60).map((_, at) => at - 30).buffer);
const NRRD = {
  type: 'short',
  dimension: '3',
  space: 'LPS',
  sizes: '5 4 3',
  'space directions': '(1,0,0) (0,2,0) (0,0,3)',
  kinds: 'domain domain domain',
  endian: 'little',
  encoding: 'raw',
  'space origin': '(0,0,0)',
};
const META = {
  ObjectType: 'Image',
  NDims: '3',
  BinaryData: 'True',
  TransformMatrix: '1 0 0 0 1 0 0 0 1',
  Offset: '0 0 0',
  ElementSpacing: '1 2 3',
  DimSize: '5 4 3',
  ElementType: 'MET_SHORT',
  ElementDataFile: 'LOCAL',
};
type Changes = Record<string, string | undefined>;
/** A file with some fields changed, or left out where undefined. */
const lines = (fields: Changes, separator: string): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field}${separator}${value}\n`)
    .join('');
const nrrd = (changes: Changes, data: Uint8Array = VOXELS): Uint8Array =>
  join(text(`NRRD0004\n${lines({ ...NRRD, ...changes }, ': ')}\n`), data);
const meta = (changes: Changes, data: Uint8Array = VOXELS): Uint8Array => {
  const { ElementDataFile, ...fields } = { ...META, ...changes };
  return join(text(lines({ ...fields, ElementDataFile }, ' = ')), data);
};

describe('NRRD headers', () => {
  const list = {
    dimension: '4',
    sizes: '1 5 4 3',
    kinds: 'list domain domain domain',
    'space directions': 'none (1,0,0) (0,2,0) (0,0,3)',
  };
  test.each<[string, Changes]>([
    ['an axis of components of size 1 before the others', list],
    [
      '... behind them',
      {
        ...list,
        sizes: '5 4 3 1',
        kinds: 'domain domain domain list',
        'space directions': '(1,0,0) (0,2,0) (0,0,3) none',
      },
    ],
    ['... known by its direction only', { ...list, kinds: undefined }],
    ['field names in other letters', { type: undefined, TYPE: 'signed short int', 'Data  File': undefined }],
  ])('%s', async (_, changes) => {
    const volume = await readNrrd(nrrd(changes));
    expect(volume.size).toEqual([5, 4, 3]);
    expect(volume.spacing).toEqual([1, 2, 3]);
    expect([...volume.data.slice(0, 3)]).toEqual([-30, -29, -28]);
  });
  test('a byte skip counts expanded bytes', async () => {
    const data = gzipSync(join(text('abc'), VOXELS));
    const volume = await readNrrd(nrrd({ encoding: 'gzip', 'byte skip': '3' }, data));
    expect(volume.data[59]).toBe(29);
  });
  test('what it does not say is warned about', async () => {
    const noOrigin = await readNrrd(nrrd({ 'space origin': undefined }));
    expect(noOrigin.warnings).toEqual([expect.stringContaining('no space origin')]);
    const untied = await readNrrd(nrrd({ space: undefined, 'space dimension': '3' }));
    expect(untied.warnings).toEqual([expect.stringContaining('taken as LPS')]);
  });

  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'TRUNCATED'],
    ['text', text('patient_id,image\n'.repeat(40)), 'MALFORMED'],
    ['half a header', nrrd({}).slice(0, 60), 'TRUNCATED'],
    ['one byte short', nrrd({}).slice(0, -1), 'TRUNCATED'],
    ['several components', nrrd({ ...list, sizes: '3 5 4 1' }), 'UNSUPPORTED'],
    [
      'several time points',
      nrrd({
        ...list,
        sizes: '5 4 1 3',
        kinds: 'domain domain domain time',
        'space directions': '(1,0,0) (0,2,0) (0,0,3) none',
      }),
      'UNSUPPORTED',
    ],
    [
      'a colour image',
      nrrd({ sizes: '3 5 4', kinds: 'RGB-color domain domain', 'space directions': 'none (1,0,0) (0,2,0)' }),
      'UNSUPPORTED',
    ],
    [
      'two dimensions',
      nrrd({ dimension: '2', sizes: '5 12', kinds: undefined, 'space directions': '(1,0) (0,1)' }),
      'UNSUPPORTED',
    ],
    ['a negative size', nrrd({ sizes: '5 -4 3' }), 'MALFORMED'],
    ['a size of 0', nrrd({ sizes: '5 0 3' }), 'MALFORMED'],
    ['sizes that overflow', nrrd({ sizes: '4294967296 4294967296 4294967296' }), 'TOO_LARGE'],
    ['sizes beyond doubles', nrrd({ sizes: `5 4 ${'9'.repeat(400)}` }), 'TOO_LARGE'],
    ['too many voxels for its bytes', nrrd({ sizes: '1000 1000 1000' }), 'TRUNCATED'],
    ['too many dimensions', nrrd({ dimension: '17', sizes: '1 '.repeat(17).trim() }), 'MALFORMED'],
    ['no type', nrrd({ type: undefined }), 'MALFORMED'],
    ['blocks', nrrd({ type: 'block' }), 'UNSUPPORTED'],
    ['no byte order', nrrd({ endian: undefined }), 'MALFORMED'],
    ['another byte order', nrrd({ endian: 'middle' }), 'MALFORMED'],
    ['numbers as text', nrrd({ encoding: 'ascii' }), 'UNSUPPORTED'],
    ['bzip2', nrrd({ encoding: 'bz2' }), 'UNSUPPORTED'],
    ['a field twice', nrrd({ Type: 'float' }), 'MALFORMED'],
    ['a line that is no field', nrrd({ 'a line\nof text': 'x' }), 'MALFORMED'],
    ['a field of a megabyte', nrrd({ content: 'x'.repeat(5000) }), 'MALFORMED'],
    ['a header without end', text(`NRRD0004\n${'# x\n'.repeat(300_000)}`), 'MALFORMED'],
    ['a matrix of zeros', nrrd({ 'space directions': '(0,0,0) (0,0,0) (0,0,0)' }), 'MALFORMED'],
    ['a direction that is NaN', nrrd({ 'space directions': '(1,0,nan) (0,2,0) (0,0,3)' }), 'MALFORMED'],
    ['sheared axes', nrrd({ 'space directions': '(1,0,0) (0.5,2,0) (0,0,3)' }), 'UNSUPPORTED'],
    ['too few directions', nrrd({ 'space directions': '(1,0,0) (0,2,0)' }), 'MALFORMED'],
    ['directions without a space', nrrd({ space: undefined }), 'MALFORMED'],
    ['space and time', nrrd({ space: 'left-posterior-superior-time' }), 'UNSUPPORTED'],
    ['micrometres', nrrd({ 'space units': '"um" "um" "um"' }), 'UNSUPPORTED'],
    ['an origin of two numbers', nrrd({ 'space origin': '(0,0)' }), 'MALFORMED'],
    [
      'spacings of 0',
      nrrd({ space: undefined, 'space directions': undefined, 'space origin': undefined, spacings: '1 0 1' }),
      'MALFORMED',
    ],
    ['voxels in several files', nrrd({ 'data file': 'slice%03d.raw 1 3 1' }), 'UNSUPPORTED'],
    ['a list of files', nrrd({ 'data file': 'LIST' }), 'UNSUPPORTED'],
    ['a header alone', nrrd({ 'data file': 'x.raw' }), 'NOT_FOUND'],
    ['a byte skip of gigabytes', nrrd({ 'byte skip': '9e9' }), 'MALFORMED'],
    ['a line skip beyond the end', nrrd({ 'line skip': '900' }), 'TRUNCATED'],
    ['gzip that is none', nrrd({ encoding: 'gzip' }), 'CORRUPT'],
    ['gzip cut', nrrd({ encoding: 'gzip' }, gzipSync(VOXELS).subarray(0, -9)), 'TRUNCATED'],
    ['gzip of too few voxels', nrrd({ encoding: 'gzip' }, gzipSync(VOXELS.subarray(2))), 'TRUNCATED'],
    [
      'gzip that cannot hold the voxels',
      nrrd({ encoding: 'gzip', sizes: '1000 1000 1000' }, gzipSync(VOXELS)),
      'TRUNCATED',
    ],
    ['a bomb', nrrd({ encoding: 'gzip' }, gzipSync(new Uint8Array(30_000_000))), 'MALFORMED'],
    [
      'a bomb that its header announces',
      nrrd({ encoding: 'gzip', sizes: '1000 1000 1000' }, new Uint8Array(3e6)),
      'TOO_LARGE',
    ],
  ])('%s: refused', async (_, bytes, code) => {
    await expect(readNrrd(bytes)).rejects.toSatisfy(
      (error) => ImagingError.isInstance(error) && error.code === code,
      code,
    );
  });

  test('no text of the header that may name a patient is in a message', async () => {
    const bytes = nrrd({ 'PatientName:=DOE^JANE': 'x', content: 'DOE^JANE', sizes: '5 -4 3' });
    await expect(readNrrd(bytes)).rejects.toSatisfy((error) => !/DOE/.test(`${(error as Error).stack}`));
  });
});

describe('MetaImage headers', () => {
  test('rows of TransformMatrix are the voxel axes', async () => {
    const { direction } = await readMetaImage(meta({ TransformMatrix: '0 1 0 0 0 1 1 0 0' }));
    expect(direction).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0]);
  });
  test('what it does not say is warned about', async () => {
    const { warnings } = await readMetaImage(
      meta({ TransformMatrix: undefined, Offset: undefined, ElementSpacing: undefined }),
    );
    expect(warnings.map((warning) => warning.split(' ')[5])).toEqual([
      'TransformMatrix:',
      'Offset:',
      'ElementSize:',
    ]);
  });
  test('CompressedDataSize bounds the stream', async () => {
    const packed = deflateSync(VOXELS);
    const changes = { CompressedData: 'True', CompressedDataSize: `${packed.length}` };
    expect((await readMetaImage(meta(changes, join(packed, text('more'))))).data[0]).toBe(-30);
  });

  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'TRUNCATED'],
    ['text', text('patient_id,image\n'.repeat(40)), 'MALFORMED'],
    ['cut in its first word', text('Object'), 'TRUNCATED'],
    ['half a header', meta({}).slice(0, 60), 'TRUNCATED'],
    ['cut in LOCAL', meta({}, new Uint8Array(0)).slice(0, -3), 'TRUNCATED'],
    ['one byte short', meta({}).slice(0, -1), 'TRUNCATED'],
    ['four dimensions', meta({ NDims: '4', DimSize: '5 4 3 1' }), 'UNSUPPORTED'],
    ['two dimensions', meta({ NDims: '2', DimSize: '5 12' }), 'UNSUPPORTED'],
    ['three channels', meta({ ElementNumberOfChannels: '3' }), 'UNSUPPORTED'],
    ['a mesh', meta({ ObjectType: 'Mesh' }), 'UNSUPPORTED'],
    ['a negative size', meta({ DimSize: '5 -4 3' }), 'MALFORMED'],
    ['sizes that overflow', meta({ DimSize: '65536 65536 65536' }), 'TOO_LARGE'],
    ['too many voxels for its bytes', meta({ DimSize: '1000 1000 1000' }), 'TRUNCATED'],
    ['sizes of other dimensions', meta({ DimSize: '5 12' }), 'MALFORMED'],
    ['no type', meta({ ElementType: undefined }), 'MALFORMED'],
    ['another type', meta({ ElementType: 'MET_FLOAT_ARRAY' }), 'UNSUPPORTED'],
    ['numbers as text', meta({ BinaryData: 'False' }), 'UNSUPPORTED'],
    ['a slope', meta({ ElementToIntensityFunctionSlope: '2' }), 'UNSUPPORTED'],
    ['a matrix of zeros', meta({ TransformMatrix: '0 0 0 0 0 0 0 0 0' }), 'MALFORMED'],
    ['a matrix that scales', meta({ TransformMatrix: '2 0 0 0 1 0 0 0 1' }), 'MALFORMED'],
    ['sheared axes', meta({ TransformMatrix: '1 0 0 0.6 0.8 0 0 0 1' }), 'UNSUPPORTED'],
    ['a spacing of 0', meta({ ElementSpacing: '1 0 1' }), 'MALFORMED'],
    ['an offset of two numbers', meta({ Offset: '0 0' }), 'MALFORMED'],
    ['two origins', meta({ Origin: '0 0 0' }), 'MALFORMED'],
    ['a flag that is none', meta({ CompressedData: 'perhaps' }), 'MALFORMED'],
    ['a field twice', meta({ 'NDims = 3\nNDims': '3' }), 'MALFORMED'],
    ['a field of a megabyte', meta({ Comment: 'x'.repeat(1e6) }), 'MALFORMED'],
    ['a header without end', text('A = 1\n\n'.concat('\n'.repeat(1_100_000))), 'MALFORMED'],
    ['a list of files', meta({ ElementDataFile: 'LIST' }), 'UNSUPPORTED'],
    ['a header alone', meta({ ElementDataFile: 'x.raw' }), 'NOT_FOUND'],
    ['an absurd HeaderSize', meta({ HeaderSize: '-7', ElementDataFile: 'x.raw' }), 'MALFORMED'],
    ['zlib that is none', meta({ CompressedData: 'True' }), 'CORRUPT'],
    ['zlib shorter than announced', meta({ CompressedData: 'True', CompressedDataSize: '999' }), 'TRUNCATED'],
    ['zlib cut', meta({ CompressedData: 'True' }, deflateSync(VOXELS).subarray(0, -3)), 'TRUNCATED'],
    [
      'zlib of too few voxels',
      meta({ CompressedData: 'True' }, deflateSync(VOXELS.subarray(2))),
      'TRUNCATED',
    ],
    ['a bomb', meta({ CompressedData: 'True' }, deflateSync(new Uint8Array(30_000_000))), 'MALFORMED'],
  ])('%s: refused', async (_, bytes, code) => {
    await expect(readMetaImage(bytes)).rejects.toSatisfy(
      (error) => ImagingError.isInstance(error) && error.code === code,
      code,
    );
  });
});

test('NaN voxels are refused, or read on request', async () => {
  const volume = await read(caseNamed('float32 nrrd compressed'));
  volume.data[7] = Number.NaN;
  for (const [readAgain, bytes] of [
    [readNrrd, await writeNrrd(volume)],
    [readMetaImage, await writeMetaImage(volume)],
  ] as const) {
    await expect(readAgain(bytes)).rejects.toMatchObject({ code: 'NAN_VOXELS' });
    expect((await readAgain(bytes, { allowNaN: true })).data[7]).toBeNaN();
  }
});

test('64-bit integers beyond 32 bits are refused', async () => {
  const data = new Uint8Array(new BigInt64Array(60).fill(2n ** 40n).buffer);
  await expect(readNrrd(nrrd({ type: 'int64' }, data))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  const negative = new Uint8Array(new BigInt64Array(60).fill(-5n).buffer);
  expect((await readNrrd(nrrd({ type: 'int64' }, negative))).data[9]).toBe(-5);
});
