import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { VoxelArray } from '@onco-response/volume';
import { VoxelStack } from '../dicom-pixels.js';
import type { DicomSlice } from '../dicom-slice.js';
import { ImagingError } from '../imaging-error.js';

/**
 * itk-wasm runs on the calling thread, throws bare numbers and prints to stdout and stderr: it gets a thread of its
 * own whose output is dropped, and only voxels or the word 'failed' come back.
 */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
async function decodeAll() {
  const { readImageDicomFileSeriesNode } = await import(workerData.module);
  for (const inputImages of workerData.groups) {
    const { outputImage } = await readImageDicomFileSeriesNode({ inputImages, singleSortedSeries: true });
    const data = outputImage.data.slice(); // WebAssembly memory itself cannot be handed over
    const [size, origin] = [Array.from(outputImage.size), Array.from(outputImage.origin)];
    parentPort.postMessage({ data, size, origin }, [data.buffer]);
  }
}
decodeAll().catch(() => parentPort.postMessage('failed'));
`;

interface Decoded {
  readonly data: VoxelArray;
  readonly size: readonly number[];
  readonly origin: readonly number[];
}

/** Slices that are decoded in one call: it applies the first slice's slope to all of them. */
function sameScaling(slices: readonly DicomSlice[]): boolean {
  return slices.every(
    ({ slope, intercept }) => slope === slices[0]!.slope && intercept === slices[0]!.intercept,
  );
}

/**
 * The voxels of slices in compressed transfer syntaxes (JPEG, JPEG-LS, JPEG 2000, RLE, deflated), through itk-wasm's
 * GDCM. Geometry stays ours; values come back rescaled.
 * @throws ImagingError CORRUPT where a slice does not decode
 */
export async function decodeSlices(slices: readonly DicomSlice[], name: string): Promise<VoxelArray> {
  const { rows, columns } = slices[0]!.format;
  const stack = new VoxelStack(slices, rows * columns);
  const plain = { slope: 1, intercept: 0 };
  const groups = sameScaling(slices) ? [slices] : slices.map((slice) => [slice]);
  let plane = 0;
  await decode(groups, name, (decoded, group) => {
    for (let at = 0; at < group.length; at++, plane++) {
      stack.set(plane, decoded.data.subarray(at * rows * columns, (at + 1) * rows * columns), plain);
    }
  });
  return stack.data;
}

/** Calls `take` with each group's voxels, in order. */
async function decode(
  groups: readonly (readonly DicomSlice[])[],
  name: string,
  take: (decoded: Decoded, group: readonly DicomSlice[]) => void,
): Promise<void> {
  const dicom = createRequire(import.meta.url).resolve('@itk-wasm/dicom');
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: {
      module: pathToFileURL(dicom).href,
      groups: groups.map((group) => group.map((slice) => resolve(slice.file))),
    },
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  let done = 0;
  try {
    await new Promise<void>((finish) => {
      worker.on('message', (decoded: Decoded | 'failed') => {
        const group = groups[done]!;
        if (decoded === 'failed' || !fits(decoded, group)) return finish();
        take(decoded, group);
        if (++done === groups.length) finish();
      });
      worker.once('error', () => finish());
      worker.once('exit', () => finish());
    });
  } finally {
    await worker.terminate();
  }
  if (done === groups.length) return;
  throw new ImagingError({
    code: 'CORRUPT',
    message: `${name}: its compressed pixels do not decode; export the series again, uncompressed if possible`,
  });
}

/** Same number of voxels, first slice first. */
function fits({ data, size, origin }: Decoded, slices: readonly DicomSlice[]): boolean {
  const { rows, columns } = slices[0]!.format;
  const expected = [columns, rows, slices.length];
  return (
    data.length === rows * columns * slices.length &&
    expected.every((n, axis) => (size[axis] ?? 1) === n) &&
    origin.every((v, axis) => Math.abs(v - slices[0]!.position[axis]!) < 1e-2)
  );
}
