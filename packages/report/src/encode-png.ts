import { encode } from 'fast-png';
import { ReportError } from './report-error.js';

export interface PngImage {
  width: number;
  height: number;
  /** 1 grey, 3 RGB or 4 RGBA, 8 bits each */
  channels: 1 | 3 | 4;
  /** row by row from the top, channels interleaved */
  data: Uint8Array;
}

/**
 * Encodes 8-bit pixels as a PNG file.
 *
 * @throws ReportError `IMAGE_SIZE` when the data do not fill width x height x channels
 * @example
 * encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) }) // the bytes of a PNG
 */
export function encodePng({ width, height, channels, data }: PngImage): Uint8Array {
  if (!(width > 0 && height > 0) || data.length !== width * height * channels) {
    throw new ReportError({
      code: 'IMAGE_SIZE',
      message: `An image of ${width} x ${height} with ${channels} channels needs ${width * height * channels} bytes; there are ${data.length}.`,
    });
  }
  return encode({ width, height, channels, data, depth: 8 });
}

/** The image as a `data:` address for a page. */
export function pngDataUri(image: PngImage): string {
  return dataUri(encodePng(image));
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The bytes of a PNG file as a `data:` address; `INVALID_INPUT` for other bytes. */
export function pngFileUri(bytes: Uint8Array): string {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `A map's image of ${bytes.length} bytes does not begin as a PNG file does: give PNG bytes, or pixels with their width and height.`,
    });
  }
  return dataUri(bytes);
}

const CHUNK = 0x8000; // spreads larger than this overflow the stack in some engines

function dataUri(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return `data:image/png;base64,${btoa(binary)}`;
}
