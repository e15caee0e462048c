import { WeightsError } from './weights-error.js';

/**
 * How each dtype is held in memory, in the order of the safetensors library's own list (which sorts tensors in a file).
 * float16 and bfloat16 stay as their raw 16 bits until `toFloat32`.
 */
const ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

/** numpy's and torch's own limits are 64; no layer has more than 5. */
export const MAX_DIMENSIONS = 16;

export type Dtype = keyof typeof ARRAYS;
export type WeightData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** One named array of a checkpoint. `data` is row-major (the last dimension varies fastest). */
export interface WeightTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: WeightData;
}

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(ARRAYS, name);
}

export function bytesPerElement(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Where a file puts the tensors of a dtype: wide elements have the higher rank and come first. */
export function rankOfDtype(dtype: Dtype): number {
  return Object.keys(ARRAYS).indexOf(dtype);
}

/** Number of elements of a shape, or an error where it is not a list of safe non-negative integers. */
export function elementCount(shape: readonly number[], where: string): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new WeightsError({
        code: 'MALFORMED',
        message: `${where}: shape [${shape}] has the dimension ${size}.`,
      });
    }
    count *= size;
    if (!Number.isSafeInteger(count)) {
      throw new WeightsError({
        code: 'TOO_LARGE',
        message: `${where}: shape [${shape}] overflows 2^53 elements.`,
      });
    }
  }
  return count;
}

/** Little-endian bytes seen as `dtype`: a view where the alignment allows it, else a copy. */
export function viewAs(dtype: Dtype, bytes: Uint8Array): WeightData {
  const ArrayType = ARRAYS[dtype];
  // `new Uint8Array` and not `slice`: on Node's Buffer, slice gives another view of the same unaligned memory.
  const aligned = bytes.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new ArrayType(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / ArrayType.BYTES_PER_ELEMENT,
  );
}
