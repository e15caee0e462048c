import type { VoxelArray } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { swapBytes } from './swap-bytes.js';

/** How one voxel is stored. */
export type VoxelType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export function bytesPerVoxel(type: VoxelType): number {
  return type === 'int64' || type === 'uint64' ? 8 : ARRAYS[type].BYTES_PER_ELEMENT;
}

/**
 * The type of an array of voxels.
 * @throws ImagingError UNSUPPORTED for anything but the eight arrays of `VoxelArray`
 */
export function voxelTypeOf(data: unknown, name: string): keyof typeof ARRAYS {
  for (const [type, array] of Object.entries(ARRAYS)) {
    if (data instanceof array) return type as keyof typeof ARRAYS;
  }
  throw new ImagingError({
    code: 'UNSUPPORTED',
    message: `${name}: voxels of this array type cannot be written`,
  });
}

/**
 * Stored bytes as numbers, without a copy where memory is aligned. `bytes` may be changed in place (byte order).
 * 64-bit integers become Int32Array or Uint32Array: numpy stores masks as int64.
 * @throws ImagingError UNSUPPORTED for 64-bit integers beyond 32 bits
 */
export function voxelsFromBytes(
  bytes: Uint8Array,
  { type, littleEndian }: { readonly type: VoxelType; readonly littleEndian: boolean },
  name: string,
): VoxelArray {
  const width = bytesPerVoxel(type);
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  if (!littleEndian) swapBytes(aligned, width);
  const { byteOffset } = aligned;
  const buffer = aligned.buffer as ArrayBuffer;
  const length = aligned.length / width;
  if (type === 'int64' || type === 'uint64') {
    return narrow(new Uint32Array(buffer, byteOffset, 2 * length), type === 'int64', name);
  }
  return new ARRAYS[type](buffer, byteOffset, length);
}

function narrow(words: Uint32Array, signed: boolean, name: string): VoxelArray {
  const length = words.length / 2;
  const values = signed ? new Int32Array(length) : new Uint32Array(length);
  for (let at = 0; at < length; at++) {
    values[at] = words[2 * at]!;
    const high = signed && values[at]! < 0 ? 0xffff_ffff : 0;
    if (words[2 * at + 1] !== high) {
      throw new ImagingError({
        code: 'UNSUPPORTED',
        message: `${name} holds 64-bit integers beyond 32 bits: save it as float32 or int16`,
      });
    }
  }
  return values;
}
