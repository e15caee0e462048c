import { promisify } from 'node:util';
import { constants, createUnzip, inflateRaw, type Unzip, unzipSync } from 'node:zlib';
import { type ByteRange, type ByteSource, type Expander, streamError } from '../byte-source.js';
import { ImagingError } from '../imaging-error.js';

/** Compressed bytes read at once, a few milliseconds of the thread; two such buffers are used again and again. */
const PIECE_BYTES = 2 ** 22;

/** The first pieces are small, so that expanding begins at once; each is twice the one before. */
const FIRST_PIECE_BYTES = 2 ** 18;

/** Up to here the result is one chunk, so that chunks need not be joined (-35 % time on a CT); zlib counts in 32 bits. */
const MAX_CHUNK_BYTES = 2 ** 30;

/** Up to here all is expanded in one call; a stream holds no compressed bytes, reads while it expands and tells progress. */
const SMALL_BYTES = 2 ** 23;

/** Compressed bytes that nearly always hold an image's header; they expand to 4 MB at most. */
const BEGINNING_BYTES = 2 ** 12;

const inflateAll = promisify(inflateRaw);

/** Expands by Node's zlib, which works on a thread of its own. */
export const zlibExpander: Expander = {
  async start(source, range, count) {
    const beginning = await source.read(range.offset, Math.min(BEGINNING_BYTES, range.length));
    const quick = expandedBeginning(beginning);
    if (quick !== undefined && quick.length >= count) return quick.subarray(0, count);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of expanded(source, range, 1024, () => undefined)) {
      parts.push(part);
      length += part.length;
      if (length >= count) break;
    }
    return Buffer.concat(parts).subarray(0, count);
  },

  async all(source, range, { expected, limit }, taken) {
    if (range.length <= SMALL_BYTES) {
      const bytes = expandedAtOnce(
        await source.read(range.offset, range.length),
        expected,
        limit,
        source.name,
      );
      taken(range.length);
      return bytes;
    }
    const single = expected <= MAX_CHUNK_BYTES;
    const chunkSize = single ? Math.max(expected + 64, 2 ** 16) : 2 ** 22;
    let bytes = single ? undefined : new Uint8Array(expected);
    let length = 0;
    for await (const part of expanded(source, range, chunkSize, taken)) {
      // parts are the filled beginnings of one chunk, one behind the other
      bytes ??= new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, expected);
      const inPlace = part.buffer === bytes.buffer && part.byteOffset === bytes.byteOffset + length;
      if (!inPlace && length < expected) bytes.set(part.subarray(0, expected - length), length);
      length += part.length;
      if (length > limit) return undefined;
    }
    return bytes?.subarray(0, length) ?? new Uint8Array(0);
  },

  async raw(deflated, limit, name) {
    try {
      return await inflateAll(deflated, { maxOutputLength: limit });
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'ERR_BUFFER_TOO_LARGE') throw streamError(name, code === 'Z_BUF_ERROR');
      throw new ImagingError({ code: 'TOO_LARGE', message: `${name} is deflated and too large` });
    }
  },
};

/** Undefined where it takes more than the beginning, or the stream is damaged: the whole stream says which. */
function expandedBeginning(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return unzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** Undefined for more than `limit` bytes. */
function expandedAtOnce(
  bytes: Uint8Array,
  expected: number,
  limit: number,
  name: string,
): Uint8Array | undefined {
  try {
    return unzipSync(bytes, { chunkSize: Math.max(expected + 64, 2 ** 16), maxOutputLength: limit });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw streamError(name, code === 'Z_BUF_ERROR');
  }
}

async function* expanded(
  source: ByteSource,
  range: ByteRange,
  chunkSize: number,
  taken: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const unzip = createUnzip({ chunkSize });
  // errors come out of the loop below, which also ends this one when it is left
  const feeding = feed(unzip, source, range, taken).catch((error) => unzip.destroy(error));
  try {
    for await (const part of unzip) yield part as Buffer;
  } catch (error) {
    if (ImagingError.isInstance(error)) throw error;
    throw streamError(source.name, (error as { code?: string } | null)?.code === 'Z_BUF_ERROR');
  } finally {
    await feeding; // the source may be closed only now
  }
}

/** Writes the pieces one by one. Two buffers in turn: the next piece is read while the one before is expanded. */
async function feed(
  unzip: Unzip,
  source: ByteSource,
  { offset, length }: ByteRange,
  taken: (bytes: number) => void,
): Promise<void> {
  const buffers = Array.from({ length: 2 }, () => new Uint8Array(Math.min(PIECE_BYTES, length)));
  let written: Promise<void> = Promise.resolve();
  let count = 0;
  for (let done = 0, turn = 0; done < length && !unzip.destroyed; done += count, turn = 1 - turn) {
    count = Math.min(Math.max(2 * count, FIRST_PIECE_BYTES), PIECE_BYTES, length - done);
    const piece = await source.read(offset + done, count, buffers[turn]);
    await written;
    taken(done);
    // a stream that has ended, or is given up, takes no more and need not say so
    written = new Promise((next) => {
      unzip.once('close', next);
      unzip.write(piece, () => {
        unzip.off('close', next);
        next();
      });
    });
  }
  await written;
  taken(length);
  unzip.end();
}
