import type { Volume, VoxelArray } from '@onco-response/volume';
import { type ByteSource, withSource } from './byte-source.js';
import { refuseNaN } from './check-voxels.js';
import { decodeFrame } from './decode-frame.js';
import { readDicomHeader } from './dicom-header.js';
import { possibleValues, storedValues, VoxelStack } from './dicom-pixels.js';
import type { DicomFile, DicomSlice, PixelFormat } from './dicom-slice.js';
import { stackSlices } from './dicom-stack.js';
import { encapsulatedFrames } from './encapsulated-frames.js';
import { mixPlanes, type OnUnevenSpacing } from './even-spacing.js';
import { memoryInTurn, readAhead } from './read-ahead.js';
import type { Reading } from './reading.js';
import { suvFactors } from './suv-factor.js';
import { shownUid } from './transfer-syntax.js';

/** How slices become a volume. */
export interface StackOptions {
  /**
   * Missing or unevenly spaced slices: refused, or interpolated linearly onto an even grid of the usual distance, which
   * `warnings` records.
   */
  readonly onUnevenSpacing?: OnUnevenSpacing;
  /** Values as slope and intercept give them (HU, Bq/ml, ...), or PET as SUV by body weight, g/ml. */
  readonly units?: 'rescaled' | 'suvBodyWeight';
}

/**
 * Slices of one series as a volume: checked, sorted, read, scaled.
 * @param files the files of the series; `slices` are all or some of theirs
 */
export async function readSlices(
  files: readonly DicomFile[],
  slices: readonly DicomSlice[],
  name: string,
  { onUnevenSpacing = 'refuse', units = 'rescaled' }: StackOptions,
  reading: Reading,
): Promise<{ volume: Volume; files: string[]; warnings: string[] }> {
  const series = `${name} (series ${shownUid(files[0]!.seriesUid)})`;
  const stack = stackSlices(slices, series, onUnevenSpacing);
  const owners = new Map(files.flatMap((file) => file.slices.map((slice) => [slice, file] as const)));
  const planes = stack.slices.map((slice) => ({ slice, file: owners.get(slice)! }));
  // before the pixels are read: a header that lacks something is refused at once
  const suv =
    units === 'suvBodyWeight'
      ? suvFactors(
          planes.map(({ file }) => file),
          series,
        )
      : undefined;
  const { rows, columns } = stack.slices[0]!.format;
  let data = await assemble(planes, reading);
  refuseNaN(data, name);
  if (suv) data = multiplyPlanes(data, rows * columns, suv.factors);
  if (stack.planes) data = mixPlanes(data, rows * columns, stack.planes);
  return {
    volume: { data, ...stack.grid },
    files: stack.slices.map((slice) => slice.file),
    warnings: [...stack.warnings, ...(suv?.warnings ?? [])],
  };
}

/** Each plane times its own factor. */
function multiplyPlanes(data: VoxelArray, planeLength: number, factors: readonly number[]): Float32Array {
  const scaled = data instanceof Float32Array ? data : Float32Array.from(data);
  for (const [plane, factor] of factors.entries()) {
    for (let at = plane * planeLength; at < (plane + 1) * planeLength; at++) scaled[at]! *= factor;
  }
  return scaled;
}

interface Plane {
  readonly slice: DicomSlice;
  readonly file: DicomFile;
}

/** The voxels of the planes, read from their files one plane at a time. */
async function assemble(planes: readonly Plane[], reading: Reading): Promise<VoxelArray> {
  const { rows, columns } = planes[0]!.slice.format;
  const stack = new VoxelStack(
    planes.map(({ slice }) => slice),
    rows * columns,
  );
  const bytesEach = planeBytes(planes[0]!.slice.format);
  const memory = memoryInTurn(
    planes.reduce((most, { slice }) => Math.max(most, planeBytes(slice.format)), 0),
  );
  const objects = new Map<DicomFile, Promise<Uint8Array[]>>();
  let next = 0;
  const read = (plane: Plane): Promise<Uint8Array> =>
    planePixels(plane, reading, stack.memoryFor(next++, plane.slice.format) ?? memory(), objects);
  let place = 0;
  for await (const bytes of readAhead(planes, read)) {
    const { slice, file } = planes[place]!;
    const littleEndian = file.storage === 'encapsulated' || slice.format.littleEndian;
    const values = storedValues(bytes, { ...slice.format, littleEndian });
    stack.set(place++, values, slice, possibleValues(slice.format));
    reading.step({ done: place * bytesEach, total: planes.length * bytesEach, unit: 'bytes' });
  }
  return stack.data;
}

function planeBytes({ rows, columns, bitsAllocated }: PixelFormat): number {
  return (rows * columns * bitsAllocated) / 8;
}

/** @param objects what had to be read whole of files that hold several planes, so that it is read once */
async function planePixels(
  { slice, file }: Plane,
  reading: Reading,
  memory: Uint8Array,
  objects: Map<DicomFile, Promise<Uint8Array[]>>,
): Promise<Uint8Array> {
  const length = planeBytes(slice.format);
  if (file.storage === 'native') {
    const offset = file.pixels.offset + slice.frame * length;
    return withSource(file.source, async (source) => source.read(offset, length, memory));
  }
  let frames = objects.get(file);
  if (frames === undefined) {
    frames = withSource(file.source, (source) => storedFrames(file, source, length, reading));
    if (file.slices.length > 1) objects.set(file, frames);
  }
  const stored = (await frames)[slice.frame]!;
  return file.storage === 'deflated'
    ? stored
    : decodeFrame(stored, file.transferSyntax, slice.format, file.file);
}

/** The frames of a file as they are stored: compressed, or out of a deflated object. */
async function storedFrames(
  file: DicomFile,
  source: ByteSource,
  length: number,
  { expander }: Reading,
): Promise<Uint8Array[]> {
  const { offset, length: total } = file.pixels;
  if (file.storage === 'encapsulated') {
    return encapsulatedFrames(await source.read(offset, total), 0, file.slices.length, file.file);
  }
  const object = (await readDicomHeader(source, expander))!.data.byteArray as Uint8Array;
  return file.slices.map((_, frame) =>
    object.subarray(offset + frame * length, offset + (frame + 1) * length),
  );
}
