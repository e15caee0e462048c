import type { VoxelArray } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import type { NiftiHeader } from './nifti-header.js';

/**
 * The voxels in their own type, or scaled: a slope of 0 or one that is not finite means no scaling, and the intercept
 * is then ignored too (nifti1.h). Scaled voxels are Float32Array (Float64Array from 32-bit integers and doubles).
 * `bytes` may be changed in place (byte order).
 * @throws ImagingError UNSUPPORTED for 64-bit integers beyond 32 bits
 */
export function niftiVoxels(bytes: Uint8Array, header: NiftiHeader, name: string): VoxelArray {
  const { bytesPerVoxel, littleEndian, slope, intercept } = header;
  // typed arrays need aligned memory
  const aligned = bytes.byteOffset % bytesPerVoxel === 0 ? bytes : bytes.slice();
  if (!littleEndian) swapBytes(aligned, bytesPerVoxel);
  const raw = viewAs(aligned, header, name);
  const scaled = Number.isFinite(slope) && slope !== 0 && Number.isFinite(intercept);
  if (!scaled || (slope === 1 && intercept === 0)) return raw;
  const wide = raw instanceof Int32Array || raw instanceof Uint32Array || raw instanceof Float64Array;
  const values = wide ? new Float64Array(raw.length) : new Float32Array(raw.length);
  for (let at = 0; at < raw.length; at++) values[at] = raw[at]! * slope + intercept;
  return values;
}

function viewAs(bytes: Uint8Array, { datatype, bytesPerVoxel }: NiftiHeader, name: string): VoxelArray {
  const { buffer, byteOffset } = bytes;
  const length = bytes.length / bytesPerVoxel;
  switch (datatype) {
    case 2:
      return new Uint8Array(buffer, byteOffset, length);
    case 4:
      return new Int16Array(buffer, byteOffset, length);
    case 8:
      return new Int32Array(buffer, byteOffset, length);
    case 16:
      return new Float32Array(buffer, byteOffset, length);
    case 64:
      return new Float64Array(buffer, byteOffset, length);
    case 256:
      return new Int8Array(buffer, byteOffset, length);
    case 512:
      return new Uint16Array(buffer, byteOffset, length);
    case 768:
      return new Uint32Array(buffer, byteOffset, length);
    default:
      return narrowInt64(new Int32Array(buffer, byteOffset, 2 * length), name);
  }
}

/** numpy writes masks as int64: their values fit into 32 bits, or the file is refused. */
function narrowInt64(words: Int32Array, name: string): Int32Array {
  const values = new Int32Array(words.length / 2);
  for (let at = 0; at < values.length; at++) {
    const low = words[2 * at]!;
    if (words[2 * at + 1] !== low >> 31) {
      throw new ImagingError({
        code: 'UNSUPPORTED',
        message: `${name} holds 64-bit integers beyond 32 bits: save it as float32 or int16`,
      });
    }
    values[at] = low;
  }
  return values;
}

/** Reverses the bytes of each voxel in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let start = 0; start + width <= bytes.length; start += width) {
    for (let a = start, b = start + width - 1; a < b; a++, b--) {
      const byte = bytes[a]!;
      bytes[a] = bytes[b]!;
      bytes[b] = byte;
    }
  }
}
