import type { PixelFormat } from './dicom-slice.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';

const HEADER_BYTES = 64;

/**
 * RLE Lossless (PS3.5 annex G): one PackBits segment for each byte of a pixel, highest byte first.
 * @returns little-endian pixels
 * @throws ImagingError TRUNCATED, MALFORMED
 */
export function decodeRle(encoded: Uint8Array, format: PixelFormat, name: string): Uint8Array {
  const width = format.bitsAllocated / 8;
  const pixels = format.rows * format.columns;
  if (encoded.length < HEADER_BYTES) fail('TRUNCATED', `${name} ends inside its RLE header`);
  const header = new DataView(encoded.buffer, encoded.byteOffset, HEADER_BYTES);
  const segments = header.getUint32(0, true);
  if (segments !== width)
    fail('MALFORMED', `${name} has ${segments} RLE segments for ${width} bytes a pixel`);
  const decoded = new Uint8Array(pixels * width);
  for (let segment = 0; segment < width; segment++) {
    const start = header.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < width ? header.getUint32(8 + 4 * segment, true) : encoded.length;
    if (start < HEADER_BYTES || end < start) fail('MALFORMED', `${name} has RLE segments out of order`);
    if (end > encoded.length) fail('TRUNCATED', `${name} ends inside its RLE segments`);
    unpack(encoded.subarray(start, end), decoded, { first: width - 1 - segment, step: width }, name);
  }
  return decoded;
}

/** Every `step`th byte of `target`, from `first` on, out of one segment, which may end in padding. */
function unpack(
  packed: Uint8Array,
  target: Uint8Array,
  { first, step }: { first: number; step: number },
  name: string,
): void {
  let to = first;
  for (let at = 0; to < target.length; ) {
    const count = packed[at++];
    if (count === undefined) fail('TRUNCATED', `${name} ends inside an RLE segment`);
    if (count === 128) continue;
    const length = count < 128 ? count + 1 : 257 - count;
    if (at + (count < 128 ? length : 1) > packed.length) {
      fail('TRUNCATED', `${name} ends inside an RLE segment`);
    }
    // a run may not cross the end of the image: then the segment is another image's
    if (to + (length - 1) * step >= target.length) {
      fail('MALFORMED', `${name} has an RLE segment of more pixels than Rows x Columns`);
    }
    for (let n = 0; n < length; n++, to += step) target[to] = packed[count < 128 ? at + n : at]!;
    at += count < 128 ? length : 1;
  }
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
