import type { ByteSource } from './byte-source.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { MAX_FRAGMENTS } from './limits.js';

const ITEM_GROUP = 0xfffe;
const SEQUENCE_END = 0xe0dd;

/**
 * Where compressed pixels end: they are items up to a delimiter. Only the items' heads are read.
 * @throws ImagingError TRUNCATED (decoders fill up what is missing without a word), CORRUPT, TOO_LARGE
 */
export async function fragmentsEnd(source: ByteSource, start: number): Promise<number> {
  const head = new Uint8Array(8);
  let at = start;
  for (let item = 0; at + 8 <= source.size; item++) {
    if (item > MAX_FRAGMENTS) fail('TOO_LARGE', `${source.name} has compressed pixels in too many pieces`);
    const bytes = await source.read(at, 8, head);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    if (view.getUint16(0, true) !== ITEM_GROUP)
      fail('CORRUPT', `${source.name} has damaged compressed pixels`);
    if (view.getUint16(2, true) === SEQUENCE_END) return at + 8;
    at += 8 + view.getUint32(4, true);
  }
  return fail('TRUNCATED', `${source.name} ends inside its compressed pixels: copy or export it again`);
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
