import type { Segmentation } from './dicom-seg-frames.js';

/**
 * The segment number of each pixel of a frame, 0 outside (in a label map: the stored value). BINARY pixels are single
 * bits, lowest first, packed across frames without padding (PS3.5 8.1.1).
 */
export function framePixels(segmentation: Segmentation, index: number): Uint8Array | Uint16Array {
  const { type, rows, columns, bitsAllocated, pixels, frames, maximum } = segmentation;
  const length = rows * columns;
  const start = index * length;
  if (type === 'LABELMAP' && bitsAllocated === 8) return pixels.subarray(start, start + length);
  const labels = new Uint16Array(length);
  if (type === 'LABELMAP') {
    const view = new DataView(pixels.buffer, pixels.byteOffset + 2 * start, 2 * length);
    for (let at = 0; at < length; at++) labels[at] = view.getUint16(2 * at, true);
    return labels;
  }
  const segment = frames[index]!.segment!;
  if (type === 'FRACTIONAL') {
    for (let at = 0; at < length; at++) if (2 * pixels[start + at]! >= maximum) labels[at] = segment;
    return labels;
  }
  let byte = Math.floor(start / 8);
  let shift = start % 8;
  for (let at = 0; at < length; ) {
    const bits = pixels[byte]! >> shift;
    if (bits === 0)
      at += 8 - shift; // most of a mask is background
    else
      for (let bit = bits; shift < 8 && at < length; shift++, at++, bit >>= 1)
        if (bit & 1) labels[at] = segment;
    byte++;
    shift = 0;
  }
  return labels;
}
