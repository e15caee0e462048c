import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half-floats.js';
import { elementCount, type WeightTensor } from './weight-tensor.js';
import { WeightsError } from './weights-error.js';

/**
 * The values of a tensor as float32. An F32 tensor's own array is returned, not a copy; F64 and 64-bit integers are
 * rounded to the nearest float32.
 *
 * @example
 * toFloat32({ dtype: 'F16', shape: [1], data: Uint16Array.of(0x3c00) }); // Float32Array [1]
 */
export function toFloat32(tensor: WeightTensor): Float32Array {
  const { dtype, data } = tensor;
  if (dtype === 'F16') return float16ToFloat32(data as Uint16Array);
  if (dtype === 'BF16') return bfloat16ToFloat32(data as Uint16Array);
  if (data instanceof Float32Array) return data;
  const singles = new Float32Array(data.length);
  for (let index = 0; index < data.length; index++) singles[index] = Number(data[index]);
  return singles;
}

/**
 * A tensor of `dtype` from float32 values, rounding to nearest, ties to even. Beyond the range of F16 (65504) the
 * result is infinite, as in numpy and torch. The values are not copied where `dtype` is F32.
 *
 * @throws WeightsError SHAPE_MISMATCH when `shape` does not hold `data.length` elements.
 * @example
 * fromFloat32(Float32Array.of(1, 2), [2], 'F16'); // { dtype: 'F16', shape: [2], data: Uint16Array [15360, 16384] }
 */
export function fromFloat32(
  data: Float32Array,
  shape: readonly number[],
  dtype: 'F32' | 'F16' | 'BF16' = 'F32',
): WeightTensor {
  if (elementCount(shape, 'fromFloat32') !== data.length) {
    throw new WeightsError({
      code: 'SHAPE_MISMATCH',
      message: `fromFloat32: shape [${shape}] does not hold ${data.length} values.`,
    });
  }
  if (dtype === 'F32') return { dtype, shape: [...shape], data };
  return {
    dtype,
    shape: [...shape],
    data: dtype === 'F16' ? float32ToFloat16(data) : float32ToBfloat16(data),
  };
}
