import { open } from 'node:fs/promises';
import type { Volume, VoxelArray } from '@onco-response/volume';
import { refuseNaN } from '../check-voxels.js';
import { chooseSeries } from '../dicom-choose.js';
import { storedValues, VoxelStack } from '../dicom-pixels.js';
import type { DicomSlice } from '../dicom-slice.js';
import { stackSlices } from '../dicom-stack.js';
import { ImagingError } from '../imaging-error.js';
import { decodeSlices } from './decode-compressed.js';
import { scanDicom } from './dicom-folder.js';
import { fileError } from './file-errors.js';

export interface DicomSeries {
  readonly seriesUid: string;
  readonly modality: string;
  readonly frameOfReferenceUid: string;
  /** The file of each slice, in the order of the volume's z axis. */
  readonly files: readonly string[];
  /** What was left out or assumed. */
  readonly warnings: readonly string[];
}

/**
 * One DICOM series as a volume: slices sorted along row x column, spacing from their positions, each slice's own
 * slope and intercept, int16 kept. Files that are no DICOM images are ignored; localizers are left out with a warning.
 * @throws ImagingError NOT_FOUND, SEVERAL_SERIES, MISSING_SLICES, DUPLICATE_SLICES, GANTRY_TILT, MIXED_ORIENTATION,
 * GRID_MISMATCH (slices of several sizes), TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED, TOO_LARGE
 * @example
 * const { volume, series } = await readDicomSeries('case-1/dicom');
 */
export async function readDicomSeries(
  folderOrFiles: string | readonly string[],
  { seriesUid }: { seriesUid?: string } = {},
): Promise<{ volume: Volume; series: DicomSeries }> {
  const name =
    typeof folderOrFiles === 'string' ? folderOrFiles : (folderOrFiles[0] ?? 'an empty list of files');
  const scan = await scanDicom(folderOrFiles);
  const { chosen, warnings } = chooseSeries(scan.files, name, seriesUid);
  const stack = stackSlices(
    chosen.flatMap((file) => file.slices),
    name,
  );
  const compressed = chosen.filter((file) => file.compressed).length;
  if (compressed > 0 && compressed < chosen.length) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} mixes compressed and uncompressed slices`,
    });
  }
  if (compressed > 0 && chosen.some((file) => file.inverted)) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name} is compressed MONOCHROME1: decompress it first`,
    });
  }
  const data = compressed > 0 ? await decodeSlices(stack.slices, name) : await assemble(stack.slices);
  refuseNaN(data, name);
  const { modality, frameOfReferenceUid } = chosen[0]!;
  return {
    volume: { data, ...stack.grid },
    series: {
      seriesUid: chosen[0]!.seriesUid,
      modality,
      frameOfReferenceUid,
      files: stack.slices.map((slice) => slice.file),
      warnings: [...scan.warnings, ...warnings, ...stack.warnings],
    },
  };
}

/** The voxels of uncompressed slices, read from their files one plane at a time. */
async function assemble(slices: readonly DicomSlice[]): Promise<VoxelArray> {
  const { rows, columns } = slices[0]!.format;
  const stack = new VoxelStack(slices, rows * columns);
  for (const [plane, slice] of slices.entries()) {
    stack.set(plane, storedValues(await readPlane(slice), slice.format), slice);
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
