import { type ByteRange, type ByteSource, type Expander, streamError } from './byte-source.js';
import { bytesSource } from './bytes-source.js';
import { gzipMembers } from './gzip-members.js';
import { ImagingError } from './imaging-error.js';
import { MAX_UNQUESTIONED_BYTES } from './limits.js';

/** Compressed bytes read at once. */
const PIECE_BYTES = 2 ** 20;

const ignore = (): void => undefined;

type Format = 'gzip' | 'deflate' | 'deflate-raw';

/** Expands by the platform's own streams, which browsers run on another thread; so does Node. */
export const streamExpander: Expander = {
  async start(source, range, count) {
    const parts: Uint8Array[] = [];
    let length = 0;
    const format = await formatOf(source, range);
    for await (const part of expanded(source, range, format, ignore, MAX_UNQUESTIONED_BYTES)) {
      parts.push(part);
      length += part.length;
      if (length >= count) break;
    }
    return join(parts, length).subarray(0, count);
  },

  async all(source, range, { expected, limit }, taken) {
    const bytes = new Uint8Array(expected);
    let length = 0;
    const format = await formatOf(source, range);
    for await (const part of expanded(source, range, format, taken, limit)) {
      if (length < expected) bytes.set(part.subarray(0, expected - length), length);
      length += part.length;
      if (length > limit) return undefined;
    }
    return bytes.subarray(0, length);
  },

  async raw(deflated, limit, name) {
    const parts: Uint8Array[] = [];
    let length = 0;
    const source = bytesSource(deflated, name);
    const range = { offset: 0, length: deflated.length };
    for await (const part of expanded(source, range, 'deflate-raw', ignore, limit)) {
      parts.push(part);
      length += part.length;
      if (length > limit) {
        throw new ImagingError({ code: 'TOO_LARGE', message: `${name} is deflated and too large` });
      }
    }
    return join(parts, length);
  },
};

async function formatOf(source: ByteSource, { offset, length }: ByteRange): Promise<Format> {
  const [first, second] = await source.read(offset, Math.min(2, length));
  return first === 0x1f && second === 0x8b ? 'gzip' : 'deflate';
}

/** @param limit how many bytes the caller takes at most */
async function* expanded(
  source: ByteSource,
  range: ByteRange,
  format: Format,
  taken: (bytes: number) => void,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = piecesOf(source, range, taken).pipeThrough(new DecompressionStream(format)).getReader();
  let given = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      given += value.length;
      yield value;
    }
  } catch (error) {
    if (!isStreamError(error)) throw error;
    if (isCut(error)) throw streamError(source.name, true);
    if (format !== 'gzip') throw streamError(source.name, false);
  } finally {
    // where the caller has seen enough; after an error there is nothing left to cancel
    await reader.cancel().catch(() => undefined);
  }
  // damaged, or, to browsers, a second member behind the first
  const whole = (await source.read(range.offset, range.length)) as Uint8Array<ArrayBuffer>;
  for await (const parts of gzipMembers(whole, limit)) {
    if (parts === undefined) throw streamError(source.name, false);
    for (const part of parts) {
      const rest = part.subarray(Math.min(given, part.length));
      given -= part.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  }
}

function piecesOf(
  source: ByteSource,
  { offset, length }: ByteRange,
  taken: (bytes: number) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let done = 0;
  return new ReadableStream({
    async pull(controller) {
      const count = Math.min(PIECE_BYTES, length - done);
      controller.enqueue((await source.read(offset + done, count)) as Uint8Array<ArrayBuffer>);
      done += count;
      taken(done);
      if (done === length) controller.close();
    },
  });
}

/** Engines throw a TypeError; Node throws zlib's error. What the caller's signal or the source throws is neither. */
function isStreamError(error: unknown): boolean {
  return error instanceof TypeError || /^(Z_|ERR_)/.test((error as { code?: string } | null)?.code ?? '');
}

/** Engines say it in words of their own. */
function isCut(error: unknown): boolean {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: { code?: string } };
  return /truncat|unexpected end|ended without|Z_BUF_ERROR/i.test(`${message} ${code} ${cause?.code}`);
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
