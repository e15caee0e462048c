import { promisify } from 'node:util';
import { createGunzip, unzip } from 'node:zlib';
import { ImagingError } from '../imaging-error.js';

/** gzip or zlib: the first bytes decide */
const expandAll = promisify(unzip);

/** The first `count` expanded bytes (fewer where the stream is shorter), without expanding the rest. */
export async function gunzipStart(bytes: Uint8Array, count: number, name: string): Promise<Uint8Array> {
  const stream = createGunzip({ chunkSize: 1024 });
  const chunks: Buffer[] = [];
  let length = 0;
  // an error is thrown by the loop below; this listener keeps one that comes after it from ending the process
  stream.on('error', () => undefined);
  stream.end(bytes);
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= count) break; // leaving the loop destroys the stream
    }
  } catch (error) {
    throw gzipError(error, name);
  }
  return Buffer.concat(chunks).subarray(0, count);
}

/**
 * All expanded bytes. A chunk as large as the expected result avoids joining chunks (-35 % time on a CT).
 * @param expected how long the result should be
 * @param limit how long it may be; undefined comes back where it is longer
 */
export async function gunzipAll(
  bytes: Uint8Array,
  { expected, limit, name }: { expected: number; limit: number; name: string },
): Promise<Uint8Array | undefined> {
  try {
    return await expandAll(bytes, { chunkSize: Math.max(expected + 64, 65_536), maxOutputLength: limit });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw gzipError(error, name);
  }
}

function gzipError(error: unknown, name: string): ImagingError {
  const cut = (error as { code?: string } | null)?.code === 'Z_BUF_ERROR';
  return new ImagingError({
    code: cut ? 'TRUNCATED' : 'CORRUPT',
    message: `${name} is ${cut ? 'cut off' : 'damaged'}: its compressed stream ${cut ? 'ends too early' : 'does not decode'}; copy or download it again`,
  });
}
