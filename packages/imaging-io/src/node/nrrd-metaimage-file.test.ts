import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sharedData } from '@onco-response/tooling-vitest/data';
import { createVolume, sameGrid, type Volume } from '@onco-response/volume';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMask } from './read-mask.js';
import { readVolume } from './read-volume.js';
import { writeVolume } from './write-volume.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imaging-io-nrrd-'));
  mkdirSync(join(folder, 'case'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const { cases } = JSON.parse(
  readFileSync(new URL('../__fixtures__/nrrd-metaimage.json', import.meta.url), 'utf8'),
) as {
  cases: {
    name: string;
    ending: string;
    file: string;
    dataName?: string;
    dataFile?: string;
    values: number[];
    direction: number[];
  }[];
};

const ct = createVolume({
  data: Int16Array.from({ length: 120 }, (_, index) => index * 20 - 1000),
  size: [6, 5, 4],
  spacing: [0.7, 0.8, 2.5],
  origin: [-100.5, 20.25, 7],
  direction: [1, 0, 0, 0, -1, 0, 0, 0, 1],
});

test.each(cases.map((golden) => [golden.name, golden] as const))('%s from a file', async (_, golden) => {
  const path = at(`golden${golden.ending}`);
  writeFileSync(path, golden.file, 'base64');
  if (golden.dataName !== undefined) writeFileSync(at(golden.dataName), golden.dataFile!, 'base64');
  const volume = await readVolume(path);
  expect([...volume.data]).toEqual(golden.values);
  golden.direction.forEach((value, index) => {
    expect(volume.direction[index]).toBeCloseTo(value, 9);
  });
});

describe.each(['a.nrrd', 'a.mha'])('%s', (name) => {
  test('comes back as it was written', async () => {
    await writeVolume(at(name), ct);
    const { warnings, ...volume } = await readVolume(at(name));
    expect({ ...volume, warnings }).toEqual({ ...ct, warnings: [] });
  });
  test('is read as a mask', async () => {
    await writeVolume(at(name), { ...ct, data: new Uint8Array(120).fill(3, 7, 9) });
    const mask = await readMask(at(name), { like: ct, segment: 3 });
    expect([...mask.data.keys()].filter((index) => mask.data[index] === 1)).toEqual([7, 8]);
  });
  test('a failed write keeps the old file', async () => {
    writeFileSync(at(`keep${name}`), 'old');
    const broken = { ...ct, data: [1, 2, 3] } as unknown as Volume;
    await expect(writeVolume(at(`keep${name}`), broken)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(readFileSync(at(`keep${name}`), 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });
  test('cut anywhere it is refused', async () => {
    await writeVolume(at(name), ct);
    const whole = readFileSync(at(name));
    for (let length = 0; length < whole.length; length += 3) {
      writeFileSync(at(`cut${name}`), whole.subarray(0, length));
      const error = await readVolume(at(`cut${name}`)).catch((thrown) => thrown);
      expect(error, `${length}`).toMatchObject({ code: 'TRUNCATED' });
    }
  });
});

test.each(['a.nhdr', 'a.mhd'])('%s is not written', async (name) => {
  await expect(writeVolume(at(name), ct)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

describe('detached data files', () => {
  const header = (dataFile: string): string =>
    `NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = ${dataFile}\n`;
  const readWith = (dataFile: string): Promise<unknown> => {
    writeFileSync(at('case/header.mhd'), header(dataFile));
    return readVolume(at('case/header.mhd'));
  };
  beforeAll(() => {
    for (const file of ['secret.raw', 'case/..data.raw']) writeFileSync(at(file), Buffer.alloc(8));
    mkdirSync(at('case/below'));
    writeFileSync(at('case/below/data.raw'), Buffer.alloc(8, 5));
    symlinkSync(at('secret.raw'), at('case/link.raw'));
  });
  test.each(['below/data.raw', './below/data.raw', '..data.raw'])('%s is read', async (name) => {
    expect(await readWith(name)).toMatchObject({ size: [2, 2, 2] });
  });
  test.each([
    '../secret.raw',
    'below/../../secret.raw',
    '/etc/passwd',
    '..',
    'C:\\data.raw',
    '..\\secret.raw',
    'link.raw',
  ])('%s is refused', async (name) => {
    await expect(readWith(name)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('outside'),
    });
  });
  test('one that is missing, a folder, or too short', async () => {
    await expect(readWith('none.raw')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readWith('below')).rejects.toMatchObject({ code: 'NOT_READABLE' });
    writeFileSync(at('case/short.raw'), Buffer.alloc(7));
    await expect(readWith('short.raw')).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});

test.each([
  [
    'bomb.nrrd',
    'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 4 4\nspacings: 1 1 1\nencoding: gzip\n\n',
    'MALFORMED',
  ],
  [
    'lies.nrrd',
    'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1000 1000 1000\nspacings: 1 1 1\nencoding: gzip\n\n',
    'TRUNCATED',
  ],
  [
    'bomb.mha',
    'NDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\n',
    'MALFORMED',
  ],
])('%s is refused in little memory', async (name, header, code) => {
  writeFileSync(
    at(name),
    Buffer.concat([Buffer.from(header), gzipSync(Buffer.alloc(100_000_000), { level: 1 })]),
  );
  const before = process.memoryUsage().rss;
  await expect(readVolume(at(name))).rejects.toMatchObject({ code });
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});

const segmentations = sharedData('dicom-seg');
test.skipIf(!segmentations)('the truth of a DICOM SEG lies on its CT', async () => {
  const image = await readVolume(join(segmentations!, 'ct-3slice'));
  const liver = await readMask(join(segmentations!, 'liver_seg.nrrd'), { like: image });
  // SimpleITK 2.5: number of labelled voxels
  expect(liver.data.reduce((sum, label) => sum + label, 0)).toBe(107098);
});

const radiomics = sharedData('pyradiomics');
// SimpleITK 2.5: sum of the image's voxels, sum of the label's
test.skipIf(!radiomics).each([
  ['brain1', '', 631859459, 4137],
  ['brain2', '', 356034155, 453],
  ['breast1', '', 7187342, 143],
  ['lung1', '_crop', -33411704, 837],
  ['lung2', '_crop', -64477555, 24644],
] as const)('pyradiomics %s', async (id, suffix, sum, labelled) => {
  const image = await readVolume(join(radiomics!, `${id}_image${suffix}.nrrd`));
  const label = await readMask(join(radiomics!, `${id}_label${suffix}.nrrd`));
  const total = (data: ArrayLike<number>): number => Array.from(data).reduce((all, value) => all + value, 0);
  expect(total(image.data)).toBe(sum);
  expect(total(label.data)).toBe(labelled);
  expect(sameGrid(image, label)).toBe(true);
});
