import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { ImagingError } from '../imaging-error.js';
import { MAX_TEXT_HEADER_BYTES } from '../limits.js';
import {
  compressedLength,
  expansionOf,
  rawOffset,
  type StoredVoxels,
  skipLines,
  storedBytes,
  wrongLength,
} from '../stored-voxels.js';
import { fileError } from './file-errors.js';
import { gunzipAll } from './gunzip.js';
import { readRange } from './read-range.js';

/** Reads a file with a text header (NRRD, MetaImage) and the voxels behind it or in its data file. */
export async function readStoredVoxels<Header extends StoredVoxels>(
  path: string,
  parse: (start: Uint8Array, name: string) => Header,
): Promise<{ header: Header; voxels: Uint8Array }> {
  return withFile(path, async (file, size) => {
    const header = parse(await readRange(file, 0, Math.min(size, MAX_TEXT_HEADER_BYTES), path), path);
    if (header.dataFile === undefined) return { header, voxels: await voxelsOf(file, size, header, path) };
    const dataPath = await dataFilePath(path, header.dataFile);
    const voxels = await withFile(dataPath, (data, dataSize) => voxelsOf(data, dataSize, header, dataPath));
    return { header, voxels };
  });
}

async function withFile<Result>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const found = await file.stat();
    if (!found.isFile()) throw new ImagingError({ code: 'NOT_READABLE', message: `${path} is no file` });
    return await use(file, found.size);
  } catch (error) {
    throw fileError(error, path, 'read');
  } finally {
    await file?.close();
  }
}

async function voxelsOf(
  file: FileHandle,
  size: number,
  stored: StoredVoxels,
  name: string,
): Promise<Uint8Array> {
  let start = stored.dataOffset;
  if (stored.lineSkip > 0) {
    const lines = await readRange(
      file,
      start,
      Math.min(Math.max(0, size - start), MAX_TEXT_HEADER_BYTES),
      name,
    );
    start += skipLines(lines, { ...stored, dataOffset: 0 }, name);
  }
  if (!stored.compressed)
    return readRange(file, rawOffset(stored, start, size, name), storedBytes(stored), name);

  const length = compressedLength(stored, start, size, name);
  const { expected, limit } = expansionOf(stored, length, name);
  const bytes = await gunzipAll(await readRange(file, start, length, name), { expected, limit, name });
  if (bytes === undefined) throw wrongLength('more', expected, name);
  if (bytes.length < expected) throw wrongLength('less', expected, name);
  return bytes.subarray(stored.byteSkip, expected);
}

/**
 * The data file that a header names, which has to lie in the header's folder or below it: a header from elsewhere
 * must not make a service read other files.
 */
async function dataFilePath(path: string, dataFile: string): Promise<string> {
  const folder = dirname(path);
  const wanted = join(folder, dataFile);
  const outside = (from: string, to: string): boolean => {
    const way = relative(from, to);
    return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  };
  let escapes = isAbsolute(dataFile) || /^[a-z]:|\\/i.test(dataFile) || outside(folder, wanted);
  if (!escapes) {
    try {
      // links too
      escapes = outside(await realpath(folder), await realpath(wanted));
    } catch (error) {
      throw fileError(error, wanted, 'read');
    }
  }
  if (escapes) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${path} names a data file outside its own folder: move that file beside the header`,
    });
  }
  return wanted;
}
