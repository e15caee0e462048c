import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { MAX_FRAGMENTS } from './limits.js';

const ITEM = 0xe000;
const SEQUENCE_END = 0xe0dd;

/** A piece of compressed pixels: its bytes, and where its item stands counted from the first piece's item. */
interface Fragment {
  readonly data: Uint8Array;
  readonly offset: number;
}

/**
 * The compressed bytes of each frame, which lie in the file as a row of fragments (PS3.5 A.4). Fragments belong to frames
 * one by one, or as the basic offset table says, or, without one, by the mark with which JPEG and JPEG 2000 begin. The
 * extended offset table is not needed: it demands one fragment a frame (PS3.3 C.7.6.3.1.8).
 * @param pixelDataOffset where the value of PixelData starts
 * @throws ImagingError TRUNCATED, MALFORMED, TOO_LARGE
 */
export function encapsulatedFrames(
  bytes: Uint8Array,
  pixelDataOffset: number,
  frameCount: number,
  name: string,
): Uint8Array[] {
  const { table, fragments } = readItems(bytes, pixelDataOffset, name);
  if (fragments.length < frameCount) {
    fail('MALFORMED', `${name} has compressed pixels for ${fragments.length} of ${frameCount} frames`);
  }
  if (frameCount === 1) return [join(fragments)];
  if (fragments.length === frameCount) return fragments.map(({ data }) => data);
  const starts =
    table.length === frameCount
      ? table.map((offset) => fragments.findIndex((fragment) => fragment.offset === offset))
      : fragments.flatMap(({ data }, at) => (startsImage(data) ? [at] : []));
  const ascending = starts.every((start, at) => start > (at === 0 ? -1 : starts[at - 1]!));
  if (starts.length !== frameCount || starts[0] !== 0 || !ascending) {
    fail(
      'MALFORMED',
      `${name} does not say which of its ${fragments.length} pieces of compressed pixels belong to which of ${frameCount} frames`,
    );
  }
  return starts.map((start, at) => join(fragments.slice(start, starts[at + 1])));
}

function readItems(
  bytes: Uint8Array,
  start: number,
  name: string,
): { table: number[]; fragments: Fragment[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fragments: Fragment[] = [];
  let table: number[] | undefined;
  let first = start;
  for (let at = start; at + 8 <= bytes.length; ) {
    const [group, element, length] = [
      view.getUint16(at, true),
      view.getUint16(at + 2, true),
      view.getUint32(at + 4, true),
    ];
    if (group === 0xfffe && element === SEQUENCE_END && table !== undefined) return { table, fragments };
    if (group !== 0xfffe || element !== ITEM || length === 0xffff_ffff) {
      fail('MALFORMED', `${name} has damaged compressed pixels`);
    }
    const end = at + 8 + length;
    if (end > bytes.length) break;
    if (table === undefined) {
      table = Array.from({ length: length >> 2 }, (_, n) => view.getUint32(at + 8 + 4 * n, true));
      first = end;
    } else {
      if (fragments.length === MAX_FRAGMENTS) {
        fail('TOO_LARGE', `${name} has compressed pixels in more than ${MAX_FRAGMENTS} pieces`);
      }
      fragments.push({ data: bytes.subarray(at + 8, end), offset: at - first });
    }
    at = end;
  }
  return fail('TRUNCATED', `${name} ends inside its compressed pixels: copy or export it again`);
}

/** Start of image (JPEG, JPEG-LS) or of codestream (JPEG 2000). */
function startsImage(data: Uint8Array): boolean {
  return data[0] === 0xff && (data[1] === 0xd8 || data[1] === 0x4f) && data[2] === 0xff;
}

function join(fragments: readonly Fragment[]): Uint8Array {
  if (fragments.length === 1) return fragments[0]!.data;
  const joined = new Uint8Array(fragments.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of fragments) {
    joined.set(data, at);
    at += data.length;
  }
  return joined;
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
