import type { VoxelArray } from '@onco-response/volume';
import type { DicomSlice, PixelFormat } from './dicom-slice.js';
import { swapBytes } from './swap-bytes.js';

/**
 * Stored values of one plane, sign-extended from bit BitsStored - 1; bits above HighBit (overlays) are dropped. `bytes`
 * may be changed in place and may become the result's memory.
 */
export function storedValues(
  bytes: Uint8Array,
  format: PixelFormat,
): Int16Array | Uint16Array | Int32Array | Uint32Array {
  const { rows, columns, bitsAllocated, bitsStored, highBit, signed, littleEndian } = format;
  const width = bitsAllocated / 8;
  const length = rows * columns;
  const pixels =
    bytes.byteOffset % width === 0 ? bytes.subarray(0, length * width) : bytes.slice(0, length * width);
  const { buffer, byteOffset } = pixels;
  if (!littleEndian) swapBytes(pixels, width);
  if (width === 2 && bitsStored === 16) {
    return signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  }
  const raw =
    width === 1
      ? pixels
      : width === 2
        ? new Uint16Array(buffer, byteOffset, length)
        : new Uint32Array(buffer, byteOffset, length);
  const up = 31 - highBit; // moves the highest stored bit to bit 31 ...
  const down = 32 - bitsStored; // ... and the lowest to bit 0
  const narrow = bitsStored < 16;
  const values = narrow
    ? width === 2
      ? new Int16Array(buffer, byteOffset, length) // in place
      : new Int16Array(raw.length)
    : signed
      ? new Int32Array(raw.length)
      : new Uint32Array(raw.length);
  if (signed) for (let at = 0; at < raw.length; at++) values[at] = (raw[at]! << up) >> down;
  else for (let at = 0; at < raw.length; at++) values[at] = (raw[at]! << up) >>> down;
  return values;
}

/** The lowest and highest value that the bits stored can hold. */
export function possibleValues({ bitsStored, signed }: PixelFormat): [number, number] {
  return signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
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

  /** The memory of a plane of 16-bit pixels, for them to be read to where they will stay; undefined for others. */
  memoryFor(plane: number, { bitsAllocated }: PixelFormat): Uint8Array | undefined {
    if (!(this.#data instanceof Int16Array) || bitsAllocated !== 16) return undefined;
    return new Uint8Array(this.#data.buffer, 2 * plane * this.#planeLength, 2 * this.#planeLength);
  }

  /**
   * @param values may lie in `memoryFor` this plane
   * @param possible the lowest and highest value that the bits stored can hold
   */
  set(
    plane: number,
    values: VoxelArray,
    { slope, intercept }: Pick<DicomSlice, 'slope' | 'intercept'>,
    possible: readonly [number, number],
  ): void {
    const start = plane * this.#planeLength;
    if (this.#data instanceof Int16Array) {
      if (values instanceof Int16Array && slope === 1 && intercept === 0) {
        if (values.buffer !== this.#data.buffer) this.#data.set(values.subarray(0, this.#planeLength), start);
        return;
      }
      const fits = ([lowest, highest]: readonly [number, number]): boolean => {
        const ends = [lowest * slope + intercept, highest * slope + intercept];
        return Math.min(...ends) >= -32768 && Math.max(...ends) <= 32767;
      };
      // 12 bits fit whatever they hold; else the values are looked at
      if (!fits(possible) && !fits(valueRange(values, this.#planeLength))) {
        this.#data = Int32Array.from(this.#data);
      }
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
