import { ImagingError } from './imaging-error.js';
import { JpegBits } from './jpeg-bits.js';
import type { JpegHeader } from './jpeg-header.js';

/**
 * Lossless JPEG of one component (T.81 annex H), all seven predictors.
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED
 */
export function decodeJpegLossless(encoded: Uint8Array, header: JpegHeader, name: string): Uint16Array {
  const { rows, columns, precision, restartInterval } = header;
  const { start: predictor, low: shift, dataOffset } = header.scan;
  const table = header.huffman[header.scan.dc & 3];
  if (table === undefined || predictor < 1 || predictor > 7 || shift >= precision) {
    throw new ImagingError({ code: 'CORRUPT', message: `${name} has a damaged JPEG header` });
  }
  if (restartInterval % columns !== 0) {
    throw new ImagingError({ code: 'MALFORMED', message: `${name} restarts its JPEG inside a row` });
  }
  const restartRows = restartInterval / columns;
  const bits = new JpegBits(encoded, dataOffset, name);
  const samples = new Uint16Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    const fresh = row === 0 || (restartRows > 0 && row % restartRows === 0);
    if (fresh && row > 0) bits.restart();
    for (let column = 0; column < columns; column++, at++) {
      let predicted: number;
      if (fresh) predicted = column === 0 ? 1 << (precision - shift - 1) : samples[at - 1]!;
      else if (column === 0) predicted = samples[at - columns]!;
      else
        predicted = predict(predictor, samples[at - 1]!, samples[at - columns]!, samples[at - columns - 1]!);
      const length = bits.symbol(table);
      if (length > 16) throw new ImagingError({ code: 'CORRUPT', message: `${name} has damaged JPEG data` });
      // modulo 2^16: the array does it
      samples[at] = predicted + (length === 16 ? 32_768 : bits.number(length));
    }
  }
  if (shift > 0) for (let at = 0; at < samples.length; at++) samples[at] = samples[at]! << shift;
  return samples;
}

/** T.81 table H.1. */
function predict(predictor: number, left: number, above: number, diagonal: number): number {
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return diagonal;
    case 4:
      return left + above - diagonal;
    case 5:
      return left + ((above - diagonal) >> 1);
    case 6:
      return above + ((left - diagonal) >> 1);
    default:
      return (left + above) >> 1;
  }
}
