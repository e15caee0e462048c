import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { MAX_QUALITY_LAYERS, MAX_TILES } from './limits.js';

/** What a JPEG 2000 codestream says about its one component. */
export interface Jpeg2000Header {
  readonly rows: number;
  readonly columns: number;
  readonly precision: number;
  readonly signed: boolean;
}

const [START, SIZE, CODING_STYLE, TILE_PART, END] = [0xff4f, 0xff51, 0xff52, 0xff90, 0xffd9];

/** The codestream itself where it lies in a JP2 file, which DICOM forbids and some writers do. */
export function codestreamOf(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(4) !== 0x6a502020) return bytes; // 'jP  '
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x6a703263) return bytes.subarray(at + 8); // 'jp2c'
    if (length < 8) break;
    at += length;
  }
  return bytes;
}

/**
 * Reads the main header and follows the tile parts to the end: decoders fill up what is missing without a word.
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED, TOO_LARGE
 */
export function readJpeg2000Header(bytes: Uint8Array, name: string): Jpeg2000Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== START || view.getUint16(2) !== SIZE) {
    fail('CORRUPT', `${name} has compressed pixels that are no JPEG 2000`);
  }
  if (bytes.length < 44) cut(name);
  const header = readSize(view, name);
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = view.getUint16(at);
    if (marker === END) return header;
    let length = 2 + view.getUint16(at + 2);
    if (marker < 0xff00 || length < 4) fail('CORRUPT', `${name} has a damaged JPEG 2000 codestream`);
    if (marker === CODING_STYLE && at + 8 <= bytes.length && view.getUint16(at + 6) > MAX_QUALITY_LAYERS) {
      fail('TOO_LARGE', `${name} has more than ${MAX_QUALITY_LAYERS} JPEG 2000 quality layers`);
    }
    if (marker === TILE_PART) {
      if (at + 12 > bytes.length) cut(name);
      length = view.getUint32(at + 6); // Psot: from this marker to the end of the tile part
      if (length === 0) return checkEnd(bytes, header, name); // the last one, up to the end mark
      if (length < 14) fail('CORRUPT', `${name} has a damaged JPEG 2000 codestream`);
    }
    at += length;
    if (at > bytes.length) cut(name);
    if (marker === TILE_PART && at + 2 > bytes.length) cut(name);
  }
  return endOf(bytes) ? header : cut(name);
}

function readSize(view: DataView, name: string): Jpeg2000Header {
  const number = (at: number): number => view.getUint32(at);
  const [right, bottom, left, top] = [number(8), number(12), number(16), number(20)];
  const [tileWidth, tileHeight, tileLeft, tileTop] = [number(24), number(28), number(32), number(36)];
  const components = view.getUint16(40);
  if (components !== 1) {
    fail('MALFORMED', `${name} has a JPEG 2000 of ${components} components for a grey image`);
  }
  if (view.byteLength < 45) cut(name);
  if (view.getUint8(43) !== 1 || view.getUint8(44) !== 1) {
    fail('MALFORMED', `${name} has a JPEG 2000 with left-out pixels`);
  }
  const tiles = Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight); // NaN for 0 / 0
  if (!(tiles <= MAX_TILES)) fail('TOO_LARGE', `${name} has more than ${MAX_TILES} JPEG 2000 tiles`);
  return {
    rows: bottom - top,
    columns: right - left,
    precision: (view.getUint8(42) & 0x7f) + 1,
    signed: view.getUint8(42) >= 0x80,
  };
}

function checkEnd(bytes: Uint8Array, header: Jpeg2000Header, name: string): Jpeg2000Header {
  return endOf(bytes) ? header : cut(name);
}

/** Ends in the end mark, perhaps with a byte that makes the length even. */
function endOf(bytes: Uint8Array): boolean {
  const end = bytes.lastIndexOf(0xd9);
  return end >= 1 && bytes[end - 1] === 0xff && bytes.subarray(end + 1).every((byte) => byte === 0);
}

function cut(name: string): never {
  return fail('TRUNCATED', `${name} ends inside its JPEG 2000 codestream: copy or export it again`);
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
