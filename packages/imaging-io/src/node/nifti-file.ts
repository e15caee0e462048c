import { type FileHandle, open } from 'node:fs/promises';
import { ImagingError } from '../imaging-error.js';
import { niftiVolume, parseNifti, type ReadOptions, type ReadVolume } from '../nifti.js';
import { expandedLimit, isGzip, tooMuchData } from '../nifti-bytes.js';
import { NIFTI_HEADER_BYTES, niftiFileBytes, parseNiftiHeader } from '../nifti-header.js';
import { fileError } from './file-errors.js';
import { gunzipAll, gunzipStart } from './gunzip.js';
import { readRange } from './read-range.js';

/** Reads exactly the named file: no sibling of another ending, as ITK does, and compression by content, not by name. */
export async function readNiftiFile(path: string, options: ReadOptions): Promise<ReadVolume> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    const start = await readRange(file, 0, Math.min(size, NIFTI_HEADER_BYTES), path);
    if (isGzip(start)) return await expandNifti(await readRange(file, 0, size, path), path, options);
    const header = parseNiftiHeader(start, path);
    const expected = niftiFileBytes(header);
    if (size < expected) {
      throw new ImagingError({
        code: 'TRUNCATED',
        message: `${path} has ${size} bytes, its header announces ${expected}: copy or download it again`,
      });
    }
    const voxels = await readRange(file, header.voxelOffset, expected - header.voxelOffset, path);
    return niftiVolume(header, voxels, path, options);
  } catch (error) {
    throw fileError(error, path, 'read');
  } finally {
    await file?.close();
  }
}

async function expandNifti(compressed: Uint8Array, path: string, options: ReadOptions): Promise<ReadVolume> {
  const header = parseNiftiHeader(await gunzipStart(compressed, NIFTI_HEADER_BYTES, path), path);
  const limit = expandedLimit(header, compressed.length, path);
  const bytes = await gunzipAll(compressed, { expected: niftiFileBytes(header), limit, name: path });
  if (bytes === undefined) throw tooMuchData(header, path);
  return parseNifti(bytes, path, options);
}
