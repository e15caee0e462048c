import { ImagingError } from './imaging-error.js';
import {
  compressedLength,
  expansionOf,
  rawOffset,
  type StoredVoxels,
  skipLines,
  storedBytes,
  wrongLength,
} from './stored-voxels.js';

/**
 * The bytes of the voxels, in memory of their own, out of the file that holds them.
 * @throws ImagingError TRUNCATED, MALFORMED, TOO_LARGE
 */
export async function voxelsInFile(
  file: Uint8Array,
  stored: StoredVoxels,
  name: string,
): Promise<Uint8Array> {
  const start = skipLines(file, stored, name);
  if (stored.compressed) {
    const length = compressedLength(stored, start, file.length, name);
    return expand(file.slice(start, start + length), stored, name);
  }
  const offset = rawOffset(stored, start, file.length, name);
  return file.slice(offset, offset + storedBytes(stored));
}

async function expand(
  compressed: Uint8Array<ArrayBuffer>,
  stored: StoredVoxels,
  name: string,
): Promise<Uint8Array> {
  const { expected, limit } = expansionOf(stored, compressed.length, name);
  const format = compressed[0] === 0x1f && compressed[1] === 0x8b ? 'gzip' : 'deflate';
  const reader = new Blob([compressed]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const bytes = new Uint8Array(expected);
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new ImagingError({
        code: 'TRUNCATED',
        message: `${name}: its compressed voxels are damaged or cut`,
      });
    });
    if (done) break;
    if (length < expected) bytes.set(value.subarray(0, expected - length), length);
    length += value.length;
    if (length > limit) {
      await reader.cancel().catch(() => undefined);
      throw wrongLength('more', expected, name);
    }
  }
  if (length < expected) throw wrongLength('less', expected, name);
  return bytes.subarray(stored.byteSkip);
}

/** The bytes compressed by the platform's own streams; browsers have them too. */
export async function compressBytes(
  bytes: Uint8Array<ArrayBuffer>,
  format: 'gzip' | 'deflate',
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
