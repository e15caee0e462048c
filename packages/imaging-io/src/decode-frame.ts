import { type CodecOutput, runOpenJpeg } from './codec-module.js';
import { decodeJpegDct } from './decode-jpeg-dct.js';
import { decodeJpegLossless } from './decode-jpeg-lossless.js';
import { decodeJpegLs } from './decode-jpeg-ls.js';
import { decodeRle } from './decode-rle.js';
import type { PixelFormat } from './dicom-slice.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { type JpegHeader, readJpegHeader } from './jpeg-header.js';
import { codestreamOf, readJpeg2000Header } from './jpeg2000-header.js';
import { MAX_FRAME_PIXELS, MAX_LARGE_RATIO, MAX_UNQUESTIONED_FRAME_PIXELS } from './limits.js';
import { compressionOf, shownUid } from './transfer-syntax.js';

/** Compressed samples, before they are widened to BitsAllocated. */
interface Samples {
  readonly values: Uint8Array | Uint16Array | Int8Array | Int16Array;
  readonly precision: number;
}

/**
 * The stored pixels of one frame, as an uncompressed little-endian file has them. RLE, JPEG
 * (baseline, extended, lossless) and JPEG-LS are decoded here, JPEG 2000 and HTJ2K by OpenJPEG, loaded on first use. Size and bits have
 * to be the header's, which is checked before anything is decoded.
 * @returns rows x columns x bitsAllocated / 8 bytes
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED, TOO_LARGE
 * @example
 * const [first] = encapsulatedFrames(bytes, pixelDataOffset, 1, 'slice.dcm');
 * const pixels = await decodeFrame(first, '1.2.840.10008.1.2.4.70', format, 'slice.dcm');
 */
export async function decodeFrame(
  encoded: Uint8Array,
  transferSyntax: string,
  format: PixelFormat,
  name: string,
): Promise<Uint8Array> {
  const compression = compressionOf(transferSyntax);
  const pixels = format.rows * format.columns;
  if (pixels > MAX_FRAME_PIXELS) {
    fail('TOO_LARGE', `${name} is compressed and has more than ${MAX_FRAME_PIXELS} pixels a frame`);
  }
  if (pixels > MAX_UNQUESTIONED_FRAME_PIXELS && pixels > MAX_LARGE_RATIO * encoded.length) {
    fail('TOO_LARGE', `${name} has ${encoded.length} bytes for a frame of ${pixels} pixels`);
  }
  switch (compression) {
    case 'raw frames':
      return rawFrame(encoded, format, name);
    case 'RLE':
      return decodeRle(encoded, format, name);
    case 'JPEG':
    case 'JPEG-LS':
      return widen(decodeJpeg(encoded, format, name), format, name);
    case 'JPEG 2000':
      return widen(await decodeJpeg2000(encoded, format, name), format, name);
    default:
      return fail(
        'UNSUPPORTED',
        `${name} is compressed in a way that is not read (${shownUid(transferSyntax)})`,
      );
  }
}

function rawFrame(encoded: Uint8Array, format: PixelFormat, name: string): Uint8Array {
  const length = (format.rows * format.columns * format.bitsAllocated) / 8;
  if (encoded.length < length) fail('TRUNCATED', `${name} ends inside a frame: copy or export it again`);
  if (encoded.length > length + 1) fail('MALFORMED', `${name} has a frame that is longer than its size says`);
  return encoded.slice(0, length);
}

function decodeJpeg(encoded: Uint8Array, format: PixelFormat, name: string): Samples {
  const header = readJpegHeader(encoded, name);
  checkJpeg(header, format, name);
  // the transfer syntax may name another JPEG than the one that is there
  const decode =
    header.process === 55 ? decodeJpegLs : header.process === 3 ? decodeJpegLossless : decodeJpegDct;
  return { values: decode(encoded, header, name), precision: header.precision };
}

async function decodeJpeg2000(encoded: Uint8Array, format: PixelFormat, name: string): Promise<Samples> {
  const codestream = codestreamOf(encoded);
  const header = readJpeg2000Header(codestream, name);
  checkSize(header, format, name);
  if (header.signed && !format.signed) {
    fail('MALFORMED', `${name} says that its pixels have no sign, but its JPEG 2000 data have one`);
  }
  const output = await runOpenJpeg(codestream, name);
  return { values: samplesOf(output, header, name), precision: header.precision };
}

function checkJpeg(header: JpegHeader, format: PixelFormat, name: string): void {
  checkSize(header, format, name);
  if (header.precision < 2) fail('CORRUPT', `${name} has compressed pixels of ${header.precision} bits`);
}

function checkSize(
  { rows, columns, precision }: { rows: number; columns: number; precision: number },
  format: PixelFormat,
  name: string,
): void {
  if (rows !== format.rows || columns !== format.columns) {
    fail(
      'MALFORMED',
      `${name} says ${format.columns} x ${format.rows} pixels, but its compressed pixels are ${columns} x ${rows}`,
    );
  }
  if (precision > format.bitsAllocated) {
    fail(
      'MALFORMED',
      `${name} says ${format.bitsAllocated} bits a pixel, but its compressed pixels have ${precision}`,
    );
  }
  if (precision > 16)
    fail('UNSUPPORTED', `${name} has compressed pixels of ${precision} bits; up to 16 are read`);
}

/** A codec's bytes as numbers, if there are as many as its header said. */
function samplesOf(
  { width, height, samples }: CodecOutput,
  { rows, columns, precision, signed }: { rows: number; columns: number; precision: number; signed: boolean },
  name: string,
): Samples['values'] {
  const bytes = precision > 8 ? 2 : 1;
  if (width !== columns || height !== rows || samples.length !== rows * columns * bytes) {
    fail('CORRUPT', `${name} has compressed pixels that do not decode: copy or export it again`);
  }
  if (bytes === 1) return signed ? new Int8Array(samples.buffer) : samples;
  return signed ? new Int16Array(samples.buffer) : new Uint16Array(samples.buffer);
}

/** Little-endian pixels of BitsAllocated bits. */
function widen({ values, precision }: Samples, format: PixelFormat, name: string): Uint8Array {
  const { bitsAllocated, bitsStored } = format;
  // with fewer bits than the header says, an unsigned number's highest bit may or may not have been a sign
  if (format.signed && precision < bitsStored && !isSigned(values)) {
    fail(
      'MALFORMED',
      `${name} says ${bitsStored} bits with a sign, but its compressed pixels have ${precision} without`,
    );
  }
  const wide =
    bitsAllocated === 8
      ? Uint8Array.from(values)
      : bitsAllocated === 16
        ? Uint16Array.from(values)
        : Uint32Array.from(values);
  return new Uint8Array(wide.buffer);
}

function isSigned(values: Samples['values']): boolean {
  return values instanceof Int8Array || values instanceof Int16Array;
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
