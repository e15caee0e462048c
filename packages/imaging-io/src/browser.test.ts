import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { bundleForBrowser } from '@onco-response/tooling-vitest/browser-bundle';
import { createVolume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import * as browser from './browser.js';
import { gzipMembers } from './gzip-members.js';
import { writeMetaImage } from './meta-image.js';
import { writeNifti } from './nifti-bytes.js';
import * as node from './node.js';
import { writeNrrd } from './nrrd.js';
import { dicomBytes } from './test-dicom.js';
import { temporaryFiles, temporaryFolder } from './test-dicom-folder.js';

const ct = createVolume({
  data: Int16Array.from({ length: 120 }, (_, at) => at * 20 - 1000),
  size: [6, 5, 4],
  spacing: [0.7, 0.8, 2.5],
  origin: [-100.5, 20.25, 7],
  direction: [1, 0, 0, 0, -1, 0, 0, 0, 1],
});

/** A file as a folder drop gives it. */
function dropped(bytes: Uint8Array, path: string): File {
  const file = new File([bytes as Uint8Array<ArrayBuffer>], basename(path));
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}
const droppedFolder = (folder: string): File[] =>
  readdirSync(folder).map((name) => dropped(readFileSync(join(folder, name)), `${basename(folder)}/${name}`));

test('the entry runs without Node', async () => {
  const url = new URL('./browser.ts', import.meta.url);
  const { code, imports } = await bundleForBrowser(url, ['@cornerstonejs/*']);
  expect(code).not.toMatch(/['"]node:|require\(/);
  // the codecs, which are loaded when first needed
  expect(imports.filter((path) => !path.startsWith('@cornerstonejs/'))).toEqual([]);
});

describe('files of a browser give what paths give', () => {
  test.each([
    ['ct.nii', () => writeNifti(ct)],
    ['ct.nii.gz', () => writeNifti(ct, { compress: true })],
    ['ct.nrrd', () => writeNrrd(ct, { compress: true })],
    ['ct.mha', () => writeMetaImage(ct, { compress: true })],
    ['several-members.nii.gz', async () => members(await writeNifti(ct))],
  ])('%s', async (name, write) => {
    const bytes = await write();
    const { warnings, ...volume } = await browser.readVolume(new File([bytes], name));
    const folder = temporaryFiles({ [name]: bytes });
    expect({ ...volume, warnings }).toEqual(await node.readVolume(join(folder, name)));
    expect(volume.data).toEqual(ct.data);
  });
  test('a header with its data file', async () => {
    const text = 'NDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\nElementDataFile = ct.raw\n';
    const header = dropped(new TextEncoder().encode(text), 'case/ct.mhd');
    const data = dropped(new Uint8Array(ct.data.buffer as ArrayBuffer), 'case/ct.raw');
    expect((await browser.readVolume([data, header])).data).toEqual(ct.data);
    await expect(browser.readVolume(header)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const climbing = dropped(new TextEncoder().encode(text.replace('ct.raw', '../ct.raw')), 'case/ct.mhd');
    await expect(browser.readVolume([climbing, data])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
  test('a DICOM folder, and a series in it', async () => {
    const slices = [0, 2, 4].map((z) => dicomBytes({ position: [0, 0, z] }));
    const folder = temporaryFolder([...slices, dicomBytes({ seriesUid: '1.9' })]);
    const files = droppedFolder(folder);
    const read = await browser.readDicomSeries(files, { seriesUid: '1.2.3.4' });
    const same = await node.readDicomSeries(folder, { seriesUid: '1.2.3.4' });
    expect(read.volume).toEqual(same.volume);
    expect(read.series.files).toEqual([0, 1, 2].map((at) => `${basename(folder)}/${at}.dcm`));
    expect((await browser.listDicomSeries(files)).map(({ images }) => images)).toEqual([3, 1]);
    const error = await browser.readDicomSeries(files).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'SEVERAL_SERIES',
      message: expect.stringContaining(`${basename(folder)} holds`),
    });
    expect(await browser.readDicomPhases(files, { seriesUid: '1.2.3.4' })).toHaveLength(1);
  });
  test('a mask', async () => {
    const mask = createVolume({ ...ct, data: new Uint8Array(120).fill(2, 3, 7) });
    const file = new File([await writeNifti(mask, { compress: true })], 'mask.nii.gz');
    const read = await browser.readMask(file, { like: ct, segment: 2 });
    expect(read.data.reduce((sum, label) => sum + label, 0)).toBe(4);
  });
});

describe('damaged streams', () => {
  test.each([
    ['cut', (whole: Uint8Array) => whole.subarray(0, -9), 'TRUNCATED'],
    ['cut in the middle', (whole: Uint8Array) => whole.subarray(0, whole.length >> 1), 'TRUNCATED'],
    ['no deflate', (whole: Uint8Array) => whole.fill(0xff, 20, 60), 'CORRUPT'],
  ])('%s', async (_, damage, code) => {
    const bytes = damage(await writeNifti(ct, { compress: true }));
    const file = new File([bytes as Uint8Array<ArrayBuffer>], 'ct.nii.gz');
    await expect(browser.readVolume(file)).rejects.toMatchObject({ code });
  });
  test('a bomb', async () => {
    const bomb = gzipSync(Buffer.concat([await writeNifti(ct), Buffer.alloc(30_000_000)]), { level: 1 });
    await expect(browser.readVolume(new File([bomb], 'ct.nii.gz'))).rejects.toMatchObject({
      code: 'MALFORMED',
    });
  });
  test('a deflated DICOM file', async () => {
    const whole = dicomBytes();
    const text = Buffer.from(whole).toString('latin1');
    const syntax = '1.2.840.10008.1.2.1\0';
    const at = text.indexOf(syntax);
    const start = at + syntax.length;
    const meta = Buffer.concat([
      whole.subarray(0, at - 2),
      Buffer.from([22, 0]),
      Buffer.from('1.2.840.10008.1.2.1.99'),
    ]);
    const bytes = Buffer.concat([meta, deflateRawSync(whole.subarray(start))]);
    const read = await browser.readVolume(new File([bytes], 'a.dcm'));
    expect([...read.data]).toEqual([0, 1, 2, 3, 4, 5].map((value) => value - 1024));
    const cut = new File([bytes.subarray(0, -9)], 'a.dcm');
    await expect(browser.readVolume(cut)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});

test('members of a gzip file, told apart as browsers need it', async () => {
  const parts = [3, 70_000, 1].map((length, at) => new Uint8Array(length).fill(at + 1));
  // a stored block that holds what looks like the start of a member
  parts.push(Uint8Array.from([0x1f, 0x8b, 8, 0, 7]));
  const files = parts.map((part) => gzipSync(part, { level: part.length === 5 ? 0 : 6 }));
  const read: (Uint8Array | undefined)[] = [];
  for await (const member of gzipMembers(Uint8Array.from(Buffer.concat(files)), 1e6)) {
    read.push(member && Uint8Array.from(member.flatMap((part) => [...part])));
  }
  expect(read).toEqual(parts);
  const cut = Uint8Array.from(Buffer.concat(files).subarray(0, -1));
  let last: Uint8Array[] | undefined = [];
  for await (const member of gzipMembers(cut, 1e6)) last = member;
  expect(last).toBeUndefined();
});

test('a signal ends the read, progress is told', async () => {
  const slices = [0, 2, 4].map((z) => dicomBytes({ position: [0, 0, z] }));
  const files = droppedFolder(temporaryFolder(slices));
  const told: browser.ReadProgress[] = [];
  await browser.readVolume(files, { onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toEqual({ done: 36, total: 36, unit: 'bytes' });
  expect(told).toContainEqual({ done: 3, total: 3, unit: 'files' });
  const stop = new AbortController();
  const reading = browser.readVolume(files, { signal: stop.signal, onProgress: () => stop.abort('enough') });
  await expect(reading).rejects.toBe('enough');
});

function members(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat([gzipSync(bytes.subarray(0, 400)), gzipSync(bytes.subarray(400))]));
}
