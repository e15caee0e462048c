import { ImagingError } from './imaging-error.js';
import { inverseDct } from './inverse-dct.js';
import { JpegBits } from './jpeg-bits.js';
import type { HuffmanTable, JpegHeader } from './jpeg-header.js';

// biome-ignore format: a table
const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
  62, 63,
];

/**
 * Baseline and extended sequential JPEG of one component, 8 or 12 bits (T.81 annex F), with libjpeg's integer transform.
 * @throws ImagingError TRUNCATED, CORRUPT, UNSUPPORTED
 */
export function decodeJpegDct(encoded: Uint8Array, header: JpegHeader, name: string): Uint16Array {
  const { rows, columns, precision, restartInterval } = header;
  if (precision !== 8 && precision !== 12) {
    throw new ImagingError({ code: 'CORRUPT', message: `${name} has a lossy JPEG of ${precision} bits` });
  }
  const dc = header.huffman[header.scan.dc & 3];
  const ac = header.huffman[4 + (header.scan.ac & 3)];
  const quantization = header.quantization[header.quantizationOf];
  if (dc === undefined || ac === undefined || quantization === undefined) {
    throw new ImagingError({ code: 'CORRUPT', message: `${name} has a JPEG without its tables` });
  }
  const bits = new JpegBits(encoded, header.scan.dataOffset, name);
  const samples = new Uint16Array(rows * columns);
  const block = new Int32Array(64);
  const [middle, highest] = [1 << (precision - 1), (1 << precision) - 1];
  const across = Math.ceil(columns / 8);
  const count = across * Math.ceil(rows / 8);
  let level = 0;
  for (let index = 0; index < count; index++) {
    if (restartInterval > 0 && index > 0 && index % restartInterval === 0) {
      bits.restart();
      level = 0;
    }
    level += readBlock(bits, { dc, ac, quantization, level }, block, name);
    inverseDct(block, precision);
    const [top, left] = [8 * Math.floor(index / across), 8 * (index % across)];
    for (let y = 0; y < 8 && top + y < rows; y++) {
      const line = (top + y) * columns + left;
      for (let x = 0; x < 8 && left + x < columns; x++) {
        samples[line + x] = Math.min(Math.max(block[8 * y + x]! + middle, 0), highest);
      }
    }
  }
  return samples;
}

/** Fills `block` with dequantized coefficients; returns the step of the DC level. */
function readBlock(
  bits: JpegBits,
  tables: { dc: HuffmanTable; ac: HuffmanTable; quantization: Uint16Array; level: number },
  block: Int32Array,
  name: string,
): number {
  const { dc, ac, quantization, level } = tables;
  block.fill(0);
  const length = bits.symbol(dc);
  if (length > 15) throw new ImagingError({ code: 'CORRUPT', message: `${name} has damaged JPEG data` });
  const step = bits.number(length);
  block[0] = (level + step) * quantization[0]!;
  for (let at = 1; at < 64; at++) {
    const symbol = bits.symbol(ac);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0) {
      if (zeros !== 15) break; // end of block
      at += 15;
      continue;
    }
    at += zeros;
    if (at > 63) throw new ImagingError({ code: 'CORRUPT', message: `${name} has damaged JPEG data` });
    block[ZIGZAG[at]!] = bits.number(size) * quantization[at]!;
  }
  return step;
}
