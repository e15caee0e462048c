import { type ByteSource, type ImageInput, withSource } from './byte-source.js';
import { MAX_TEXT_HEADER_BYTES } from './limits.js';
import type { Reading } from './reading.js';
import {
  compressedLength,
  expansionOf,
  rawOffset,
  type StoredVoxels,
  skipLines,
  storedBytes,
  wrongLength,
} from './stored-voxels.js';

/** Reads a file with a text header (NRRD, MetaImage) and the voxels behind it or in its data file. */
export async function readStoredVoxels<Header extends StoredVoxels>(
  source: ByteSource,
  input: Pick<ImageInput, 'dataFile'>,
  parse: (start: Uint8Array, name: string) => Header,
  reading: Reading,
): Promise<{ header: Header; voxels: Uint8Array }> {
  const header = parse(await source.read(0, Math.min(source.size, MAX_TEXT_HEADER_BYTES)), source.name);
  const voxels =
    header.dataFile === undefined
      ? await voxelsOf(source, header, reading)
      : await withSource(input.dataFile(header.dataFile), (data) => voxelsOf(data, header, reading));
  return { header, voxels };
}

async function voxelsOf(
  source: ByteSource,
  stored: StoredVoxels,
  { expander, step }: Reading,
): Promise<Uint8Array> {
  const { name, size } = source;
  let start = stored.dataOffset;
  if (stored.lineSkip > 0) {
    const lines = await source.read(start, Math.min(Math.max(0, size - start), MAX_TEXT_HEADER_BYTES));
    start += skipLines(lines, { ...stored, dataOffset: 0 }, name);
  }
  if (!stored.compressed) {
    const voxels = await source.read(rawOffset(stored, start, size, name), storedBytes(stored));
    step({ done: size, total: size, unit: 'bytes' });
    return voxels;
  }
  const length = compressedLength(stored, start, size, name);
  const { expected, limit } = expansionOf(stored, length, name);
  const bytes = await expander.all(source, { offset: start, length }, { expected, limit }, (done) =>
    step({ done, total: length, unit: 'bytes' }),
  );
  if (bytes === undefined) throw wrongLength('more', expected, name);
  if (bytes.length < expected) throw wrongLength('less', expected, name);
  return bytes.subarray(stored.byteSkip, expected);
}
