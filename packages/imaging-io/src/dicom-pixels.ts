import type { VoxelArray } from '@onco-response/volume';
import type { DicomSlice, PixelFormat } from './dicom-slice.js';
import { swapBytes } from './nifti-voxels.js';

/** Stored values of one plane, sign-extended from bit BitsStored - 1; bits above HighBit (overlays) are dropped. */
export function storedValues(bytes: Uint8Array, format: PixelFormat): Int32Array | Uint32Array {
  const { rows, columns, bitsAllocated, bitsStored, highBit, signed, littleEndian } = format;
  const width = bitsAllocated / 8;
  const pixels = bytes.slice(0, rows * columns * width); // own, aligned memory
  if (!littleEndian) swapBytes(pixels, width);
  const raw =
    width === 1 ? pixels : width === 2 ? new Uint16Array(pixels.buffer) : new Uint32Array(pixels.buffer);
  const up = 31 - highBit; // moves the highest stored bit to bit 31 ...
  const down = 32 - bitsStored; // ... and the lowest to bit 0
  const values = signed ? new Int32Array(raw.length) : new Uint32Array(raw.length);
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
    values: ArrayLike<number>,
    { slope, intercept }: Pick<DicomSlice, 'slope' | 'intercept'>,
  ): void {
    const start = plane * this.#planeLength;
    if (this.#data instanceof Int16Array) {
      let [lowest, highest] = [0, 0];
      for (let at = 0; at < this.#planeLength; at++) {
        const value = values[at]! * slope + intercept;
        if (value < lowest) lowest = value;
        else if (value > highest) highest = value;
        this.#data[start + at] = value;
      }
      if (lowest >= -32768 && highest <= 32767) return;
      this.#data = Int32Array.from(this.#data);
    }
    const data = this.#data;
    for (let at = 0; at < this.#planeLength; at++) data[start + at] = values[at]! * slope + intercept;
  }
}
