import type { Volume } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { niftiTransforms } from './nifti-geometry.js';

/** Header (348 bytes) plus an empty extension flag. */
const WRITTEN_OFFSET = 352;

/** NIfTI-1 keeps sizes in 16 bits. */
const MAX_AXIS = 32767;

/** datatype code and bits of each voxel type */
const DATATYPES = new Map<unknown, readonly [number, number]>([
  [Uint8Array, [2, 8]],
  [Int16Array, [4, 16]],
  [Int32Array, [8, 32]],
  [Float32Array, [16, 32]],
  [Float64Array, [64, 64]],
  [Int8Array, [256, 8]],
  [Uint16Array, [512, 16]],
  [Uint32Array, [768, 32]],
]);

/**
 * A little-endian NIfTI-1 header: sform and qform both hold the geometry in RAS (the qform only where the axes are
 * perpendicular, as it cannot say anything else).
 */
export function niftiHeaderBytes(volume: Volume, name: string): Uint8Array {
  const { size, spacing, data } = volume;
  if (size.some((n) => n > MAX_AXIS)) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name}: NIfTI-1 allows ${MAX_AXIS} voxels along an axis`,
    });
  }
  const [datatype, bits] = [...DATATYPES].find(
    ([type]) => data instanceof (type as typeof Uint8Array),
  )?.[1] ?? [0, 0];
  if (datatype === 0) {
    throw new ImagingError({
      code: 'UNSUPPORTED',
      message: `${name}: voxels of this array type cannot be written`,
    });
  }
  const { sform, quaternion } = niftiTransforms(volume);
  const bytes = new Uint8Array(WRITTEN_OFFSET);
  const view = new DataView(bytes.buffer);
  const floats = (at: number, values: readonly number[]): void => {
    values.forEach((value, index) => {
      view.setFloat32(at + 4 * index, value, true);
    });
  };
  view.setInt32(0, 348, true);
  [3, ...size, 1, 1, 1, 1].forEach((n, index) => {
    view.setInt16(40 + 2 * index, n, true);
  });
  view.setInt16(70, datatype, true);
  view.setInt16(72, bits, true);
  floats(76, [quaternion?.qfac ?? 1, ...spacing]);
  floats(108, [WRITTEN_OFFSET, 1, 0]); // vox_offset, scl_slope, scl_inter
  bytes[123] = 2; // mm
  view.setInt16(252, quaternion ? 1 : 0, true); // qform_code: scanner
  view.setInt16(254, 1, true); // sform_code: scanner
  if (quaternion) floats(256, [quaternion.b, quaternion.c, quaternion.d, sform[3]!, sform[7]!, sform[11]!]);
  floats(280, sform);
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // n+1
  return bytes;
}

/** The voxels as little-endian bytes, not copied. Every platform that runs JavaScript engines today is little-endian. */
export function voxelBytes({ data }: Volume): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
