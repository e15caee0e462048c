import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { filesOf, type InputKind, inputKinds, temporaryFolders, voxelDigest } from '../test-input-kinds.js';
import { readVolume } from './read-volume.js';

const folders = temporaryFolders();
afterAll(folders.remove);

const kindNamed = (name: string): InputKind => inputKinds.find((kind) => kind.name === name)!;
const filesNamed = (name: string): Map<string, Uint8Array> => filesOf(kindNamed(name));

/** Reads in at most 2 s and 200 MB; gives the code, or `read`. */
async function codeOf(files: Iterable<readonly [string, Uint8Array]>, open: string): Promise<string> {
  const path = join(folders.write(files), open);
  const [start, before] = [performance.now(), process.memoryUsage().rss];
  const code = await readVolume(path).then(
    () => 'read',
    (error: { code: string; message: string }) => {
      expect(error.message).not.toMatch(/SECRET|19010203|19990807/);
      return error.code;
    },
  );
  expect(performance.now() - start).toBeLessThan(2000);
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(200);
  return code;
}

/** Bytes with one number replaced where `pattern` stands, `after` bytes behind it. */
function patched(bytes: Uint8Array, pattern: readonly number[], after: number, value: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt16LE(value, copy.indexOf(Buffer.from(pattern)) + after);
  return new Uint8Array(copy);
}
const ROWS = [0x28, 0, 0x10, 0, 0x55, 0x53]; // (0028,0010) US
const COLUMNS = [0x28, 0, 0x11, 0, 0x55, 0x53];

describe('a program in the preamble', () => {
  test.each([
    ['Windows', 'MZ\x90\0'],
    ['Linux', '\x7fELF\x02\x01'],
    ['a script', '#!/bin/sh\nrm -rf /\n'],
  ])('%s: the image is read, with a warning', async (_, program) => {
    const kind = kindNamed('DICOM explicit little endian');
    const files = filesOf(kind);
    const [name, bytes] = [...files][0]!;
    const polyglot = Uint8Array.from(bytes);
    polyglot.set(Buffer.from(program, 'latin1'));
    const folder = folders.write(new Map(files).set(name, polyglot));
    const volume = await readVolume(folder);
    expect(voxelDigest(volume.data)).toBe(kind.voxels);
    expect(volume.warnings).toEqual([expect.stringContaining(`${join(folder, name)} begins like a program`)]);
  });
});

describe('bombs', () => {
  const nifti = filesNamed('NIfTI-1 int16').get('v.nii')!;
  test('a gzip stream that goes on behind the voxels', async () => {
    const bomb = gzipSync(Buffer.concat([nifti, Buffer.alloc(400 * 2 ** 20)]), { level: 1 });
    expect(await codeOf([['v.nii.gz', bomb]], 'v.nii.gz')).toMatch(/TOO_LARGE|MALFORMED/);
  });
  test('a deflated DICOM object', async () => {
    const files = filesNamed('DICOM deflated');
    const [name, bytes] = [...files][0]!;
    const meta = 132 + 12 + Buffer.from(bytes).readUInt32LE(140); // group length counts from its own end
    const bomb = Buffer.concat([bytes.subarray(0, meta), deflateRawSync(Buffer.alloc(200 * 2 ** 20))]);
    expect(await codeOf(new Map(files).set(name, bomb), '')).toBe('TOO_LARGE');
  });
  test.each([
    ['DICOM RLE', 'TOO_LARGE'],
    ['DICOM JPEG lossless .57, predictor 1', /TOO_LARGE|MALFORMED/],
    ['DICOM JPEG-LS lossless .80', /TOO_LARGE|MALFORMED/],
    ['DICOM JPEG 2000 lossless .90', /TOO_LARGE|MALFORMED/],
  ])('%s: a frame of 60000 x 60000 pixels in a few hundred bytes', async (kind, code) => {
    const grown = [...filesNamed(kind)].map(
      ([name, bytes]) => [name, patched(patched(bytes, ROWS, 8, 60_000), COLUMNS, 8, 60_000)] as const,
    );
    expect(await codeOf(grown, '')).toMatch(code);
  });
  test.each(
    inputKinds
      .filter(({ name }) => /^DICOM (JPEG|HTJ2K)/.test(name))
      .map((kind) => [kind.name, kind] as const),
  )('%s: another size in the compressed pixels than in the header', async (_, kind) => {
    const files = [...filesOf(kind)].map(([name, bytes]) => [name, patched(bytes, ROWS, 8, 2000)] as const);
    expect(await codeOf(files, '')).toBe('MALFORMED');
  });
  test('uncompressed pixels that are not there', async () => {
    const files = [...filesNamed('DICOM explicit little endian')].map(
      ([name, bytes]) => [name, patched(patched(bytes, ROWS, 8, 65_535), COLUMNS, 8, 65_535)] as const,
    );
    expect(await codeOf(files, '')).toBe('TRUNCATED');
  });
  test('NIfTI, NRRD and MetaImage of more voxels than there are bytes, or numbers', async () => {
    const wide = Buffer.from(nifti);
    for (const axis of [1, 2, 3]) wide.writeInt16LE(32_767, 40 + 2 * axis);
    expect(await codeOf([['v.nii', wide]], 'v.nii')).toMatch(/TRUNCATED|TOO_LARGE/);
    for (const [kind, file, sizes] of [
      ['NRRD raw', 'v.nrrd', /sizes: [\d ]+/],
      ['NRRD gzip', 'v.nrrd', /sizes: [\d ]+/],
      ['MetaImage raw', 'v.mha', /DimSize = [\d ]+/],
      ['MetaImage zlib', 'v.mha', /DimSize = [\d ]+/],
    ] as const) {
      const text = Buffer.from(filesNamed(kind).get(file)!).toString('latin1');
      const grown = text.replace(sizes, (found) =>
        found.replace(/\d+ \d+ \d+/, '4294967297 4294967297 4294967297'),
      );
      expect(grown).not.toBe(text);
      expect(await codeOf([[file, Buffer.from(grown, 'latin1')]], file)).toMatch(
        /TRUNCATED|TOO_LARGE|MALFORMED/,
      );
    }
  });
});

describe('DICOM headers', () => {
  const [name, bytes] = [...filesNamed('DICOM explicit little endian')][0]!;
  const pixels = Buffer.from(bytes).indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57]));
  const withElement = (element: Uint8Array): Uint8Array =>
    Buffer.concat([bytes.subarray(0, pixels), element, bytes.subarray(pixels)]);

  test('100,000 sequences inside each other', async () => {
    const sequence = Buffer.from([
      0x81, 0, 0x10, 0, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff,
    ]);
    const nested = Buffer.concat(Array.from({ length: 100_000 }, () => sequence));
    expect(await codeOf([[name, withElement(nested)]], '')).toBe('MALFORMED');
  });
  test('an element that claims 4 GiB', async () => {
    const element = Buffer.from([0x81, 0, 0x10, 0, 0x4f, 0x42, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    expect(await codeOf([[name, withElement(element)]], '')).toBe('TRUNCATED');
  });
  test('two million empty items', async () => {
    const items = Buffer.alloc(16 * 2 ** 20);
    for (let at = 0; at < items.length; at += 8) items.writeUInt32LE(0xe000fffe, at);
    const head = Buffer.from([0x81, 0, 0x10, 0, 0x53, 0x51, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32LE(items.length, 8);
    expect(await codeOf([[name, withElement(Buffer.concat([head, items]))]], '')).toMatch(
      /read|TOO_LARGE|MALFORMED/,
    );
  });
});

describe('a data file that is not in the header’s folder', () => {
  const { 'v.nhdr': header, 'v.raw': voxels } = Object.fromEntries(filesNamed('NRRD detached, raw'));
  const naming = (path: string): Uint8Array =>
    Buffer.from(
      Buffer.from(header!)
        .toString('latin1')
        .replace(/data file: .*/, `data file: ${path}`),
      'latin1',
    );

  test.each(['../v.raw', 'a/../../v.raw', '/etc/passwd', 'C:\\v.raw', '..\\v.raw', '//host/v.raw'])(
    '%s',
    async (path) => {
      const code = await codeOf(
        [
          ['in/v.nhdr', naming(path)],
          ['v.raw', voxels!],
        ],
        'in/v.nhdr',
      );
      expect(code).toMatch(/UNSUPPORTED|MALFORMED|NOT_FOUND/);
    },
  );
  test('a link that leads out', async () => {
    const folder = folders.write([['v.raw', voxels!]]);
    mkdirSync(join(folder, 'in'));
    writeFileSync(join(folder, 'in/v.nhdr'), naming('w.raw'));
    symlinkSync(join(folder, 'v.raw'), join(folder, 'in/w.raw'));
    await expect(readVolume(join(folder, 'in/v.nhdr'))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
