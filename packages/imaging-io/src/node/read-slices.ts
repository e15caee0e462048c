import { open } from 'node:fs/promises';
import type { Volume, VoxelArray } from '@onco-response/volume';
import { refuseNaN } from '../check-voxels.js';
import { storedValues, VoxelStack } from '../dicom-pixels.js';
import type { DicomFile, DicomSlice } from '../dicom-slice.js';
import { stackSlices } from '../dicom-stack.js';
import { mixPlanes, type OnUnevenSpacing } from '../even-spacing.js';
import { ImagingError } from '../imaging-error.js';
import { suvFactors } from '../suv-factor.js';
import { decodeSlices } from './decode-compressed.js';
import { fileError } from './file-errors.js';
import { readAhead } from './read-ahead.js';

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
): Promise<{ volume: Volume; files: string[]; warnings: string[] }> {
  const series = `${name} (series ${files[0]!.seriesUid})`;
  const stack = stackSlices(slices, series, onUnevenSpacing);
  const owners = new Map(files.map((file) => [file.file, file]));
  // before the pixels are read: a header that lacks something is refused at once
  const suv =
    units === 'suvBodyWeight'
      ? suvFactors(
          stack.slices.map((slice) => owners.get(slice.file)!),
          series,
        )
      : undefined;
  const compressed = files.filter((file) => file.compressed).length;
  if (compressed > 0 && compressed < files.length) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} mixes compressed and uncompressed slices`,
    });
  }
  if (compressed > 0 && files.some((file) => file.inverted)) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} is compressed MONOCHROME1: decompress it first`,
    });
  }
  const { rows, columns } = stack.slices[0]!.format;
  let data = compressed > 0 ? await decodeSlices(stack.slices, name) : await assemble(stack.slices);
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

/** The voxels of uncompressed slices, read from their files one plane at a time. */
async function assemble(slices: readonly DicomSlice[]): Promise<VoxelArray> {
  const { rows, columns } = slices[0]!.format;
  const stack = new VoxelStack(slices, rows * columns);
  let plane = 0;
  for await (const bytes of readAhead(slices, readPlane)) {
    const slice = slices[plane]!;
    stack.set(plane++, storedValues(bytes, slice.format), slice);
  }
  return stack.data;
}

async function readPlane({ file: path, pixelOffset, format }: DicomSlice): Promise<Uint8Array> {
  const bytes = new Uint8Array((format.rows * format.columns * format.bitsAllocated) / 8);
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, pixelOffset);
      if (bytesRead === bytes.length) return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, path, 'read');
  }
  throw new ImagingError({ code: 'TRUNCATED', message: `${path} became shorter while it was read` });
}
