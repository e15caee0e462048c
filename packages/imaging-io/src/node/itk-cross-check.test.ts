import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { VoxelArray } from '@onco-response/volume';
import { afterAll, describe, expect, test } from 'vitest';
import { filesOf, inputKinds, temporaryFolders, voxelDigest } from '../test-input-kinds.js';

const folders = temporaryFolders();
afterAll(folders.remove);

/** itk-wasm prints and throws numbers: it runs in a thread whose output is dropped. */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.module).then(async ({ readImageDicomFileSeriesNode }) => {
  for (const inputImages of workerData.series) {
    let read = 'failed';
    try {
      const { data, size } = (await readImageDicomFileSeriesNode({ inputImages, singleSortedSeries: true })).outputImage;
      read = { data: data.slice(), size: [...size] };
    } catch {}
    parentPort.postMessage(read);
  }
});
`;

/** The names of each series' slices from the lowest up (imaging_input_kinds.py). */
const ORDER = ['2.dcm', '0.dcm', '3.dcm', '1.dcm'];

/** SimpleITK reads these too, so that itk-wasm's known mistakes are not in them; it has no HTJ2K. */
const kinds = inputKinds.filter(
  ({ kind, open, reference, name }) =>
    kind === 'DICOM' &&
    open === '' &&
    reference === 'SimpleITK' &&
    !/PET|bits above|without|nested|HTJ2K/.test(name),
);

async function itkReads(): Promise<({ data: VoxelArray; size: number[] } | 'failed')[]> {
  const series = kinds.map((kind) => {
    const folder = folders.write(filesOf(kind));
    return ORDER.map((name) => join(folder, name)); // it does not sort
  });
  const module = pathToFileURL(createRequire(import.meta.url).resolve('@itk-wasm/dicom')).href;
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: { module, series },
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  const read: Awaited<ReturnType<typeof itkReads>> = [];
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message) => {
        if (read.push(message) === kinds.length) resolve();
      });
    });
  } finally {
    await worker.terminate();
  }
  return read;
}

describe('itk-wasm, the other decoder, finds the same voxels', async () => {
  const read = await itkReads();
  test.each(kinds.map((kind, at) => [kind.name, kind, at] as const))('%s', (_, kind, at) => {
    const image = read[at]!;
    if (image === 'failed') return expect(kind.name).toBe('read');
    expect(image.size).toEqual(kind.size);
    expect(voxelDigest(image.data)).toBe(kind.voxels);
  });
});
