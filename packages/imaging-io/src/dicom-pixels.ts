import type { VoxelArray } from '@onco-response/volume';
import type { DicomSlice, PixelFormat } from './dicom-slice.js';
import { swapBytes } from './swap-bytes.js';

/** Stored values of one plane, sign-extended from bit BitsStored - 1; bits above HighBit (overlays) are dropped. */
export function storedValues(
  bytes: Uint8Array,
  format: PixelFormat,
): Int16Array | Uint16Array | Int32Array | Uint32Array {
  const { rows, columns, bitsAllocated, bitsStored, highBit, signed, littleEndian } = format;
  const width = bitsAllocated / 8;
  const pixels = bytes.slice(0, rows * columns * width); // own, aligned memory
  if (!littleEndian) swapBytes(pixels, width);
  if (width === 2 && bitsStored === 16) {
    return signed ? new Int16Array(pixels.buffer) : new Uint16Array(pixels.buffer);
  }
  const raw =
    width === 1 ? pixels : width === 2 ? new Uint16Array(pixels.buffer) : new Uint32Array(pixels.buffer);
  const up = 31 - highBit; // moves the highest stored bit to bit 31 ...
  const down = 32 - bitsStored; // ... and the lowest to bit 0
  const narrow = bitsStored < 16;
  const values = narrow
    ? new Int16Array(raw.length)
    : signed
      ? new Int32Array(raw.length)
      : new Uint32Array(raw.length);
  if (signed) for (let at = 0; at < raw.length; at++) values[at] = (raw[at]! << up) >> down;
  else for (let at = 0; at < raw.length; at++) values[at] = (raw[at]! << up) >>> down;
  return values;
}

/**
 * Collects planes into one array, each with its own slope and intercept: Int16Array as long as every value is whole and
 * fits (CT), Int32Array when one does not, Float32Array where a slope or intercept has a fraction (PET).
 */
export class VoxelStack {
  #data: VoxelArray;
  readonly #planeLength: number;

  constructor(slices: readonly Pick<DicomSlice, 'slope' | 'intercept'>[], planeLength: number) {
    const whole = slices.every(
      ({ slope, intercept }) => Number.isInteger(slope) && Number.isInteger(intercept),
    );
    const length = planeLength * slices.length;
    this.#data = whole ? new Int16Array(length) : new Float32Array(length);
    this.#planeLength = planeLength;
  }

  get data(): VoxelArray {
    return this.#data;
  }

  set(
    plane: number,
    values: VoxelArray,
    { slope, intercept }: Pick<DicomSlice, 'slope' | 'intercept'>,
  ): void {
    const start = plane * this.#planeLength;
    if (this.#data instanceof Int16Array) {
      if (values instanceof Int16Array && slope === 1 && intercept === 0) {
        this.#data.set(values.subarray(0, this.#planeLength), start);
        return;
      }
      const [lowest, highest] = valueRange(values, this.#planeLength);
      const ends = [lowest * slope + intercept, highest * slope + intercept];
      if (Math.min(...ends) < -32768 || Math.max(...ends) > 32767) this.#data = Int32Array.from(this.#data);
    }
    const data = this.#data;
    for (let at = 0; at < this.#planeLength; at++) data[start + at] = values[at]! * slope + intercept;
  }
}

function valueRange(values: VoxelArray, length: number): [number, number] {
  let [lowest, highest] = [values[0]!, values[0]!];
  for (let at = 1; at < length; at++) {
    const value = values[at]!;
    if (value < lowest) lowest = value;
    else if (value > highest) highest = value;
  }
  return [lowest, highest];
}
