import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createVolume, type Volume } from '@onco-response/volume';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNifti } from '../nifti-bytes.js';
import { readMask } from './read-mask.js';
import { readVolume } from './read-volume.js';
import { writeVolume } from './write-volume.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imaging-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ct = createVolume({
  data: Int16Array.from({ length: 120 }, (_, at) => at * 20 - 1000),
  size: [6, 5, 4],
  spacing: [0.7, 0.8, 2.5],
  origin: [-100.5, 20.25, 7],
  direction: [1, 0, 0, 0, -1, 0, 0, 0, 1],
});
const mask = createVolume({
  ...ct,
  data: Uint8Array.from({ length: 120 }, (_, at) => (at > 50 && at < 60 ? 2 : at === 70 ? 9 : 0)),
});
const at = (name: string): string => join(folder, name);

/** Writes a file, reads it as a volume and gives the error. */
async function errorOf(name: string, bytes: Uint8Array): Promise<Error & { code: string }> {
  writeFileSync(at(name), bytes);
  return readVolume(at(name)).then(
    () => expect.unreachable(`${name} was read`),
    (error) => error,
  );
}

test.each(['a.nii', 'a.nii.gz'])('%s comes back as it was written', async (name) => {
  await writeVolume(at(name), ct);
  const { warnings, ...volume } = await readVolume(at(name));
  expect(warnings).toEqual([]);
  expect(volume.data).toEqual(ct.data);
  expect(volume.size).toEqual(ct.size);
  expect(volume.direction).toEqual(ct.direction);
});

test('the named file is read, not a sibling', async () => {
  await writeVolume(at('twin.nii'), ct);
  await writeVolume(at('twin.nii.gz'), mask);
  expect((await readVolume(at('twin.nii.gz'))).data).toEqual(mask.data);
});

describe('damaged and hostile files', () => {
  test('truncated .nii', async () => {
    const bytes = await writeNifti(ct);
    expect(await errorOf('cut.nii', bytes.subarray(0, bytes.length - 1))).toMatchObject({
      code: 'TRUNCATED',
    });
  });
  test.each([1, 8, 30, 120])('.nii.gz cut by %d bytes', async (bytes) => {
    const whole = await writeNifti(ct, { compress: true });
    const error = await errorOf('cut.nii.gz', whole.subarray(0, whole.length - bytes));
    expect(error).toMatchObject({ code: 'TRUNCATED', message: expect.stringContaining(at('cut.nii.gz')) });
    expect(error.cause).toBeUndefined();
  });
  test('a flipped bit in the gzip stream', async () => {
    const whole = await writeNifti(ct, { compress: true });
    whole[whole.length - 6] = whole[whole.length - 6]! ^ 0xff; // in the checksum
    expect((await errorOf('bit.nii.gz', whole)).code).toBe('CORRUPT');
  });
  test('a gzip of too few voxels', async () => {
    const short = gzipSync((await writeNifti(ct)).subarray(0, 500));
    expect((await errorOf('short.nii.gz', short)).code).toBe('TRUNCATED');
  });
  test('a header that announces gigabytes in a few bytes', async () => {
    const bytes = await writeNifti(ct);
    const view = new DataView(bytes.buffer);
    for (const offset of [42, 44, 46]) view.setInt16(offset, 1000, true);
    expect((await errorOf('huge.nii.gz', gzipSync(bytes))).code).toBe('TRUNCATED');
  });
  test('a bomb behind a small header does not fill memory', async () => {
    const bomb = gzipSync(Buffer.concat([await writeNifti(ct), Buffer.alloc(300_000_000)]), { level: 1 });
    const before = process.memoryUsage().rss;
    expect((await errorOf('bomb.nii.gz', bomb)).code).toBe('MALFORMED');
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });
  test('not gzip inside', async () => {
    expect((await errorOf('text.nii.gz', gzipSync('hello'))).code).toBe('MALFORMED');
    expect((await errorOf('text.nii', Buffer.from('hello, this is no image'))).code).toBe('MALFORMED');
  });
});

describe('paths', () => {
  test.each(['missing.nii.gz', 'missing', 'missing/case.nii'])(
    '%s: NOT_FOUND without Node codes',
    async (name) => {
      const error: Error = await readVolume(at(name)).catch((e) => e);
      expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(name) });
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/ENOENT|ERR_/);
    },
  );
  test('an unknown kind of file', async () => {
    writeFileSync(at('a.mrc'), 'another format');
    await expect(readVolume(at('a.mrc'))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/\.nii\.gz/),
    });
  });
  test('writing elsewhere', async () => {
    await expect(writeVolume(at('a.mhd'), ct)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(writeVolume(at('no/such/folder/a.nii'), ct)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
  test('a failed write leaves neither the file nor a temporary one', async () => {
    await expect(writeVolume(at('taken.nii/a.nii'), ct)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const before = readdirSync(folder);
    writeFileSync(at('keep.nii'), 'old');
    const broken = { ...ct, data: [1, 2, 3] } as unknown as Volume;
    await expect(writeVolume(at('keep.nii'), broken)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(readFileSync(at('keep.nii'), 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(readdirSync(folder).length).toBe(before.length + 1);
  });
});

describe('readMask', () => {
  beforeAll(async () => {
    await writeVolume(at('mask.nii.gz'), mask);
  });
  test('labels as they are, on the given grid', async () => {
    const read = await readMask(at('mask.nii.gz'), { like: ct });
    expect(read.data).toEqual(mask.data);
    expect(read.origin).toEqual(ct.origin); // exactly, not through float32
  });
  test.each([9, '9'])('segment %j becomes 1', async (segment) => {
    const read = await readMask(at('mask.nii.gz'), { segment });
    expect([...read.data.keys()].filter((i) => read.data[i] === 1)).toEqual([70]);
    expect(Math.max(...read.data)).toBe(1);
  });
  test('a segment it does not have', async () => {
    await expect(readMask(at('mask.nii.gz'), { segment: 3 })).rejects.toMatchObject({
      code: 'EMPTY_MASK',
      message: expect.stringContaining('labels 2, 9'),
    });
  });
  test.each([
    ['shifted by a voxel', { origin: [-99.8, 20.25, 7] as const }],
    ['of another size', { size: [6, 4, 5] as const }],
    ['turned round', { origin: [-97, 20.25, 7] as const, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] as const }],
  ])('an image %s: GRID_MISMATCH', async (_, part) => {
    await expect(readMask(at('mask.nii.gz'), { like: { ...ct, ...part } })).rejects.toMatchObject({
      code: 'GRID_MISMATCH',
    });
  });
  test('0.2 micrometres are the same grid', async () => {
    const like = { ...ct, origin: ct.origin.map((v) => v + 2e-4) as unknown as typeof ct.origin };
    expect((await readMask(at('mask.nii.gz'), { like })).origin).toEqual(like.origin);
  });
  test.each([[0.5], [256], [-1], [Number.NaN]])('a mask that holds %f', async (value) => {
    await writeVolume(at('bad.nii'), { ...ct, data: new Float32Array(120).fill(value, 3, 4) });
    await expect(readMask(at('bad.nii'))).rejects.toMatchObject({ code: 'INVALID_MASK' });
  });
  test('float labels that are whole', async () => {
    await writeVolume(at('float.nii'), { ...ct, data: Float64Array.from(mask.data) });
    expect((await readMask(at('float.nii'))).data).toEqual(mask.data);
  });
});
