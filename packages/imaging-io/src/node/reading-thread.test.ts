import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVolume } from '@onco-response/volume';
import { describe, expect, test } from 'vitest';
import type { ReadProgress } from '../reading.js';
import { dicomBytes } from '../test-dicom.js';
import { temporaryFiles, temporaryFolder } from '../test-dicom-folder.js';
import { niftiHeaderBytes } from '../write-nifti-header.js';
import { listDicomSeries } from './list-dicom-series.js';
import { readDicomSeries } from './read-dicom-series.js';
import { readVolume } from './read-volume.js';
import { writeVolume } from './write-volume.js';

const slice = (z: number): Uint8Array => dicomBytes({ position: [0, 0, z] });

/** What keeps a process alive; one that ends with threads waiting was seen to hang by a port. */
const openPorts = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort').length;
const portsBefore = openPorts();

/** The same object without its preamble, or without file meta information too. */
const withoutPreamble = (z: number): Uint8Array => slice(z).subarray(132);
function withoutMeta(z: number): Uint8Array {
  const bytes = slice(z);
  return bytes.subarray(Buffer.from(bytes).indexOf(Buffer.from([8, 0, 8, 0, 0x43, 0x53])));
}

describe('a signal', () => {
  const large = createVolume({ data: new Int16Array(2 ** 22), size: [256, 256, 64] });
  test('ends a read under way, and the next one is read', async () => {
    const folder = temporaryFiles({});
    const path = join(folder, 'ct.nii.gz');
    await writeVolume(path, large);
    const reason = new Error('enough');
    const stop = new AbortController();
    const reading = readVolume(path, { signal: stop.signal });
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await expect(readVolume(path, { signal: stop.signal })).rejects.toBe(reason);
    expect((await readVolume(path)).size).toEqual(large.size);
  });
  test('ends reads that wait for a thread', async () => {
    const folder = temporaryFolder([slice(0), slice(2)]);
    const stop = new AbortController();
    const all = Promise.allSettled(
      Array.from({ length: 20 }, () => readVolume(folder, { signal: stop.signal })),
    );
    stop.abort('enough');
    for (const result of await all) expect(result).toEqual({ status: 'rejected', reason: 'enough' });
  });
});

test('progress: files, then bytes, and both come to their end', async () => {
  const told: ReadProgress[] = [];
  await readVolume(temporaryFolder([slice(0), slice(2)]), { onProgress: (progress) => told.push(progress) });
  expect(told).toContainEqual({ done: 2, total: 2, unit: 'files' });
  expect(told.at(-1)).toEqual({ done: 24, total: 24, unit: 'bytes' });
  const thrown = readVolume(temporaryFolder([slice(0)]), {
    onProgress: () => {
      throw new Error('my own');
    },
  });
  await expect(thrown).rejects.toThrow('my own');
});

test('many reads at once', async () => {
  const folder = temporaryFiles({});
  const read = async (at: number): Promise<number> => {
    const path = join(folder, `${at}.nii.gz`);
    await writeVolume(path, createVolume({ data: new Int16Array(8).fill(at), size: [2, 2, 2] }));
    return (await readVolume(path)).data[7]!;
  };
  expect(await Promise.all(Array.from({ length: 50 }, (_, at) => read(at)))).toEqual([...Array(50).keys()]);
});

describe('DICOM folders', () => {
  test('are searched however deep they are; links to folders are not followed', async () => {
    const folder = temporaryFiles({
      'a/b/c/IM1': slice(0),
      'a/IM2': slice(2),
      IM3: slice(4),
      'a/DICOMDIR': slice(6),
      'notes.txt': 'x',
    });
    symlinkSync(folder, join(folder, 'a', 'round'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
    const { volume, series } = await readDicomSeries(folder);
    expect(volume.size[2]).toBe(3);
    expect(series.files).toEqual(['a/b/c/IM1', 'a/IM2', 'IM3'].map((name) => join(folder, name)));
  });
  test.each([
    ['preamble', withoutPreamble],
    ['file meta information', withoutMeta],
  ])('files without %s', async (_, bytes) => {
    const names = Object.fromEntries([0, 2, 4].map((z) => [`${z}`, bytes(z)]));
    const folder = temporaryFiles({ ...names, 'notes.txt': 'x' });
    const whole = await readDicomSeries(temporaryFolder([0, 2, 4].map(slice)));
    expect((await readDicomSeries(folder)).volume).toEqual(whole.volume);
    expect((await readVolume(join(folder, '0'))).size).toEqual([3, 2, 1]);
  });
  test('what merely begins like one is ignored', async () => {
    const foreign = {
      'zeros.bin': new Uint8Array(4096),
      'eight.bin': Uint8Array.from({ length: 4096 }, (_, at) => (at % 4 === 0 ? 8 : 0)),
      'letters.bin': new TextEncoder().encode('\x08\0\x05\0CSCSCSCSCSCSCSCSCSCSCSCSCSCS'),
      'two.bin': Uint8Array.from([2, 0, 0, 0, 4, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]),
    };
    const folder = temporaryFiles({ ...foreign, a: slice(0), b: slice(2) });
    expect((await readDicomSeries(folder)).volume.size[2]).toBe(2);
  });
  test('listing reads headers only, and still sees what is cut', async () => {
    const folder = temporaryFiles({ a: slice(0), b: slice(2).subarray(0, -2) });
    await expect(readDicomSeries(folder)).rejects.toMatchObject({ code: 'TRUNCATED' });
    expect((await listDicomSeries(folder))[0]!.images).toBe(2);
  });
});

test('threads that wait keep no process alive', async () => {
  await readVolume(temporaryFolder([slice(0)]));
  expect(openPorts()).toBe(portsBefore);
});

// 2.2 GB on the disk only as far as it is written: with ONCO_RESPONSE_LARGE=1
test.skipIf(process.env.ONCO_RESPONSE_LARGE !== '1')('a file of more than 2 GiB', async () => {
  const folder = temporaryFiles({});
  const size = [1100, 1000, 1000] as const;
  const path = join(folder, 'large.nii');
  const header = niftiHeaderBytes(
    { ...createVolume({ data: new Int16Array(1), size: [1, 1, 1] }), size },
    path,
  );
  writeFileSync(path, header);
  truncateSync(path, header.length + 2.2e9);
  const volume = await readVolume(path);
  expect(volume.data).toHaveLength(1.1e9);
});
