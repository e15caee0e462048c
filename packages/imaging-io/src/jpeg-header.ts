import { ImagingError, type ImagingErrorCode } from './imaging-error.js';

/** What stands before the entropy-coded data of a JPEG or JPEG-LS image of one component. */
export interface JpegHeader {
  /** SOF number: 0 baseline, 1 extended, 3 lossless, 55 JPEG-LS. */
  readonly process: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  /** By class (0 DC or lossless, 1 AC) and destination: `[class * 4 + destination]`. */
  readonly huffman: readonly (HuffmanTable | undefined)[];
  /** In zigzag order, by destination. */
  readonly quantization: readonly (Uint16Array | undefined)[];
  readonly quantizationOf: number;
  readonly restartInterval: number;
  /** What JPEG-LS is coded with where it is not the usual; 0 means the usual. */
  readonly preset: JpegLsPreset | undefined;
  readonly scan: {
    readonly dc: number;
    readonly ac: number;
    /** Ss: the predictor of lossless JPEG; NEAR of JPEG-LS. */
    readonly start: number;
    /** Al: the point transform. */
    readonly low: number;
    /** Where the entropy-coded data begins. */
    readonly dataOffset: number;
  };
}

export interface JpegLsPreset {
  readonly maximum: number;
  readonly thresholds: readonly [number, number, number];
  readonly reset: number;
}

/** Indexed by the next 16 bits: code length << 8 | symbol; 0 where no code fits. */
export type HuffmanTable = Uint16Array;

const PROCESSES = new Set([0, 1, 3, 55]);

/**
 * Reads the segments up to the first scan.
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED
 */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    fail('CORRUPT', `${name} has compressed pixels that are no JPEG`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const huffman: (HuffmanTable | undefined)[] = [];
  const quantization: (Uint16Array | undefined)[] = [];
  let frame: Pick<JpegHeader, 'process' | 'precision' | 'rows' | 'columns' | 'quantizationOf'> | undefined;
  let restartInterval = 0;
  let preset: JpegLsPreset | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) fail('CORRUPT', `${name} has a damaged JPEG header`);
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    if (marker === 0xd9) fail('TRUNCATED', `${name} has a JPEG without pixels`);
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2) fail('CORRUPT', `${name} has a damaged JPEG header`);
    if (end > bytes.length) break;
    const segment = new DataView(view.buffer, view.byteOffset + at + 4, length - 2);
    if (marker === 0xc4) readHuffman(segment, huffman, name);
    else if (marker === 0xdb) readQuantization(segment, quantization, name);
    else if (marker === 0xdd && length >= 4) restartInterval = segment.getUint16(0);
    else if (marker === 0xf8) preset = readPreset(segment, name);
    else if (marker === 0xda) {
      if (frame === undefined || segment.byteLength < 6 || segment.getUint8(0) !== 1) {
        fail('CORRUPT', `${name} has a JPEG scan that is no grey image`);
      }
      const scan = {
        dc: segment.getUint8(2) >> 4,
        ac: segment.getUint8(2) & 15,
        start: segment.getUint8(3),
        low: segment.getUint8(5) & 15,
        dataOffset: end,
      };
      return { ...frame, huffman, quantization, restartInterval, preset, scan };
    } else if (isFrame(marker)) frame = readFrame(marker, segment, name);
    at = end;
  }
  return fail('TRUNCATED', `${name} ends inside a JPEG header`);
}

/** SOF markers; C4, C8 and CC mean other things. */
function isFrame(marker: number): boolean {
  return marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));
}

function readFrame(
  marker: number,
  segment: DataView,
  name: string,
): Pick<JpegHeader, 'process' | 'precision' | 'rows' | 'columns' | 'quantizationOf'> {
  const process = marker - 0xc0;
  if (!PROCESSES.has(process))
    fail('UNSUPPORTED', `${name} is a JPEG of a kind (SOF${process}) that DICOM retired`);
  if (segment.byteLength < 9) fail('CORRUPT', `${name} has a damaged JPEG header`);
  if (segment.getUint8(5) !== 1) {
    fail('MALFORMED', `${name} has a JPEG of ${segment.getUint8(5)} components for a grey image`);
  }
  return {
    process,
    precision: segment.getUint8(0),
    rows: segment.getUint16(1),
    columns: segment.getUint16(3),
    quantizationOf: segment.getUint8(8) & 3,
  };
}

function readPreset(segment: DataView, name: string): JpegLsPreset {
  if (segment.byteLength < 11 || segment.getUint8(0) !== 1) {
    fail('UNSUPPORTED', `${name} is a JPEG-LS with tables or of a size that are not read`);
  }
  const [maximum, first, second, third, reset] = [1, 3, 5, 7, 9].map((at) => segment.getUint16(at));
  return { maximum: maximum!, thresholds: [first!, second!, third!], reset: reset! };
}

function readHuffman(segment: DataView, tables: (HuffmanTable | undefined)[], name: string): void {
  for (let at = 0; at < segment.byteLength; ) {
    if (at + 17 > segment.byteLength) fail('CORRUPT', `${name} has a damaged Huffman table`);
    const target = segment.getUint8(at);
    const table = new Uint16Array(65_536);
    let symbol = at + 17;
    let code = 0;
    for (let length = 1; length <= 16; length++, code <<= 1) {
      for (let count = segment.getUint8(at + length); count > 0; count--, code++, symbol++) {
        const start = code << (16 - length);
        if (symbol >= segment.byteLength || start >= 65_536) {
          fail('CORRUPT', `${name} has a damaged Huffman table`);
        }
        table.fill((length << 8) | segment.getUint8(symbol), start, start + (1 << (16 - length)));
      }
    }
    tables[((target >> 4) & 1) * 4 + (target & 3)] = table;
    at = symbol;
  }
}

function readQuantization(segment: DataView, tables: (Uint16Array | undefined)[], name: string): void {
  for (let at = 0; at < segment.byteLength; ) {
    const target = segment.getUint8(at++);
    const wide = target >> 4 !== 0;
    if (at + (wide ? 128 : 64) > segment.byteLength)
      fail('CORRUPT', `${name} has a damaged quantization table`);
    const start = at;
    tables[target & 3] = Uint16Array.from({ length: 64 }, (_, n) =>
      wide ? segment.getUint16(start + 2 * n) : segment.getUint8(start + n),
    );
    at += wide ? 128 : 64;
  }
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
