import { readFileSync } from 'node:fs';
import { indexToPhysical, type Vec3 } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import { ImagingError } from './imaging-error.js';
import { readNifti, writeNifti } from './nifti-bytes.js';

const golden = JSON.parse(readFileSync(new URL('./__fixtures__/nifti.json', import.meta.url), 'utf8')) as {
  cases: { name: string; file: string; affine: number[]; size: Vec3; values: number[]; type?: string }[];
  refused: { name: string; file: string; code: string }[];
};
const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, 'base64'));
const plain = bytesOf(golden.cases.find((c) => c.name === 'int16')!.file);

describe('files written by nibabel', () => {
  test.each(golden.cases.map((c) => [c.name, c] as const))('%s', async (_, expected) => {
    const volume = await readNifti(bytesOf(expected.file));
    expect(volume.size).toEqual(expected.size);
    expect([...volume.data]).toEqual(expected.values);
    if (expected.type && expected.type !== 'int64')
      expect(volume.data.constructor.name.toLowerCase()).toBe(`${expected.type}array`);
    const a = expected.affine;
    for (const [i, j, k] of [
      [0, 0, 0],
      [4, 0, 0],
      [0, 3, 0],
      [4, 3, 2],
    ] as Vec3[]) {
      const ras = [0, 4, 8].map((row) => a[row]! * i + a[row + 1]! * j + a[row + 2]! * k + a[row + 3]!);
      const [x, y, z] = indexToPhysical(volume, [i, j, k]);
      // headers hold float32: 40 mm to 4e-6
      for (const [found, wanted] of [
        [x, -ras[0]!],
        [y, -ras[1]!],
        [z, ras[2]!],
      ] as const) {
        expect(Math.abs(found - wanted)).toBeLessThan(1e-4);
      }
    }
  });

  test.each(golden.refused.map((c) => [c.name, c] as const))('%s is refused', async (_, { file, code }) => {
    await expect(readNifti(bytesOf(file))).rejects.toMatchObject({ code });
  });
});

test('both codes 0: read, with a warning', async () => {
  const bytes = plain.slice();
  bytes.fill(0, 252, 256);
  const volume = await readNifti(bytes);
  expect(volume.warnings).toHaveLength(1);
  expect(volume.spacing.map((v) => v.toFixed(3))).toEqual(['0.750', '0.500', '2.500']);
});

test('reading leaves the bytes as they were', async () => {
  const big = bytesOf(golden.cases.find((c) => c.name === 'Nifti1Image >')!.file);
  const before = big.slice();
  const volume = await readNifti(big);
  volume.data[0] = 99;
  expect(big).toEqual(before);
});

describe('hostile or damaged bytes', () => {
  const change = (edit: (view: DataView) => void): Uint8Array<ArrayBuffer> => {
    const bytes = plain.slice();
    edit(new DataView(bytes.buffer));
    return bytes;
  };
  test.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ['no bytes', new Uint8Array(0), 'TRUNCATED'],
    ['half a header', plain.slice(0, 200), 'TRUNCATED'],
    ['one voxel short', plain.slice(0, plain.length - 2), 'TRUNCATED'],
    ['text', new TextEncoder().encode('patient_id,image,mask,label\n'.repeat(30)), 'MALFORMED'],
    ['another magic', change((v) => v.setUint8(345, 0x20)), 'MALFORMED'],
    ['a .hdr of a pair', change((v) => v.setUint8(345, 0x69)), 'UNSUPPORTED'],
    ['a negative size', change((v) => v.setInt16(42, -5, true)), 'MALFORMED'],
    ['nine dimensions', change((v) => v.setInt16(40, 9, true)), 'MALFORMED'],
    [
      'an overflowing size',
      change((v) => {
        for (const at of [42, 44, 46]) v.setInt16(at, 32767, true);
      }),
      'TOO_LARGE',
    ],
    ['voxels before the header ends', change((v) => v.setFloat32(108, 10, true)), 'MALFORMED'],
    ['voxels at NaN', change((v) => v.setFloat32(108, Number.NaN, true)), 'MALFORMED'],
    ['bits that do not fit the type', change((v) => v.setInt16(72, 8, true)), 'MALFORMED'],
    [
      'an sform of zeros',
      change((v) => {
        for (let at = 280; at < 328; at += 4) v.setFloat32(at, 0, true);
      }),
      'MALFORMED',
    ],
    ['an sform of NaN', change((v) => v.setFloat32(280, Number.NaN, true)), 'MALFORMED'],
  ])('%s', async (_, bytes, code) => {
    await expect(readNifti(bytes)).rejects.toSatisfy(
      (error) => ImagingError.isInstance(error) && error.code === code,
    );
  });

  test('a cut or damaged gzip stream', async () => {
    const gz = bytesOf(golden.cases.find((c) => c.name === 'gzip')!.file);
    await expect(readNifti(gz.slice(0, gz.length - 20))).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});

test('NaN voxels are refused, or read on request', async () => {
  const volume = await readNifti(bytesOf(golden.cases.find((c) => c.name === 'float32')!.file));
  volume.data[7] = Number.NaN;
  const bytes = await writeNifti(volume);
  await expect(readNifti(bytes, { name: 'ct.nii' })).rejects.toMatchObject({
    code: 'NAN_VOXELS',
    message: expect.stringContaining('ct.nii has 1 of 60 voxels'),
  });
  expect((await readNifti(bytes, { allowNaN: true })).data[7]).toBeNaN();
});

describe('what is written', () => {
  test.each(golden.cases.map((c) => [c.name, c.file] as const))('%s reads back the same', async (_, file) => {
    const volume = await readNifti(bytesOf(file));
    for (const compress of [false, true]) {
      const again = await readNifti(await writeNifti(volume, { compress }));
      expect(again.data).toEqual(volume.data);
      again.direction.forEach((v, at) => {
        expect(v).toBeCloseTo(volume.direction[at]!, 6);
      });
      again.origin.forEach((v, at) => {
        expect(v).toBeCloseTo(volume.origin[at]!, 4);
      });
    }
  });

  test('without its sform, the qform gives the same geometry', async () => {
    for (const { file } of golden.cases) {
      const volume = await readNifti(bytesOf(file));
      const bytes = await writeNifti(volume);
      expect(new DataView(bytes.buffer).getInt16(252, true)).toBe(1);
      new DataView(bytes.buffer).setInt16(254, 0, true);
      const { direction, origin, spacing } = await readNifti(bytes);
      [...direction, ...origin, ...spacing].forEach((v, at) => {
        expect(v).toBeCloseTo([...volume.direction, ...volume.origin, ...volume.spacing][at]!, 4);
      });
    }
  });

  test('an axis beyond 16 bits is refused', async () => {
    const long = {
      data: new Uint8Array(40_000),
      size: [40_000, 1, 1],
      spacing: [1, 1, 1],
      origin: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    } as const;
    await expect(writeNifti(long)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
