import type { VoxelArray } from '@onco-response/volume';
import type { NiftiHeader } from './nifti-header.js';
import { type VoxelType, voxelsFromBytes } from './voxel-type.js';

/** NIfTI's datatype codes. */
const TYPES: Record<number, VoxelType> = {
  2: 'uint8',
  4: 'int16',
  8: 'int32',
  16: 'float32',
  64: 'float64',
  256: 'int8',
  512: 'uint16',
  768: 'uint32',
  1024: 'int64',
  1280: 'uint64',
};

/**
 * The voxels in their own type, or scaled: a slope of 0 or one that is not finite means no scaling, and the intercept
 * is then ignored too (nifti1.h). Scaled voxels are Float32Array (Float64Array from 32-bit integers and doubles).
 * `bytes` may be changed in place (byte order).
 * @throws ImagingError UNSUPPORTED for 64-bit integers beyond 32 bits
 */
export function niftiVoxels(bytes: Uint8Array, header: NiftiHeader, name: string): VoxelArray {
  const { datatype, littleEndian, slope, intercept } = header;
  const raw = voxelsFromBytes(bytes, { type: TYPES[datatype]!, littleEndian }, name);
  if (isUnscaled(header)) return raw;
  const wide = raw instanceof Int32Array || raw instanceof Uint32Array || raw instanceof Float64Array;
  const values = wide ? new Float64Array(raw.length) : new Float32Array(raw.length);
  for (let at = 0; at < raw.length; at++) values[at] = raw[at]! * slope + intercept;
  return values;
}

/** Slope 0 or not finite stands for no scaling, whatever the intercept. */
export function isUnscaled({ slope, intercept }: NiftiHeader): boolean {
  const scales = Number.isFinite(slope) && slope !== 0 && Number.isFinite(intercept);
  return !scales || (slope === 1 && intercept === 0);
}
