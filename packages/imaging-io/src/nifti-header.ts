import { MAX_VOXELS, type Vec3 } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { MAX_VOXEL_OFFSET } from './limits.js';

/** Enough for the header of either version. */
export const NIFTI_HEADER_BYTES = 540;

/** What a NIfTI-1 or NIfTI-2 header says, fields named as in the standard. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  readonly size: Vec3;
  readonly datatype: number;
  readonly bytesPerVoxel: number;
  /** Offset of the first voxel in the file. */
  readonly voxelOffset: number;
  readonly slope: number;
  readonly intercept: number;
  /** pixdim[0..3]; [0] is the sign of the third axis (qfac). */
  readonly pixdim: readonly number[];
  readonly qformCode: number;
  readonly sformCode: number;
  /** quatern_b, c, d and qoffset_x, y, z */
  readonly quaternion: readonly number[];
  /** srow_x, srow_y, srow_z */
  readonly sform: readonly number[];
  readonly millimetresPerUnit: number;
}

const BYTES: Readonly<Record<number, number>> = {
  2: 1,
  4: 2,
  8: 4,
  16: 4,
  64: 8,
  256: 1,
  512: 2,
  768: 4,
  1024: 8,
  1280: 8,
};

/** NIFTI_UNITS_METER 1, MM 2, MICRON 3; unknown (0) is read as mm, as every tool does. */
const MILLIMETRES: Readonly<Record<number, number>> = { 1: 1000, 3: 0.001 };

/**
 * Parses a NIfTI-1 (348 bytes) or NIfTI-2 (540 bytes) header in either byte order.
 * Reference: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED, TOO_LARGE
 */
export function parseNiftiHeader(bytes: Uint8Array, name: string): NiftiHeader {
  if (bytes.length < 4) fail('TRUNCATED', `${name} has ${bytes.length} bytes, too few for a NIfTI header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marks = [348, 540];
  const littleEndian = marks.includes(view.getInt32(0, true));
  const headerSize = view.getInt32(0, littleEndian);
  if (!marks.includes(headerSize)) {
    fail('MALFORMED', `${name} is no NIfTI file: its first number is neither 348 nor 540`);
  }
  if (bytes.length < headerSize) fail('TRUNCATED', `${name} ends inside its NIfTI header`);
  const version = headerSize === 348 ? 1 : 2;
  const two = version === 2;
  const magic = String.fromCharCode(...bytes.subarray(two ? 4 : 344, two ? 7 : 347));
  if (magic !== (two ? 'n+2' : 'n+1')) {
    if (magic === 'ni1' || magic === 'ni2') {
      fail('UNSUPPORTED', `${name} is the header of a .hdr/.img pair: convert it to one .nii file`);
    }
    fail('MALFORMED', `${name} is no NIfTI file: its magic is not ${two ? 'n+2' : 'n+1'}`);
  }
  const int64 = (at: number): number => Number(view.getBigInt64(at, littleEndian));
  const int16 = (at: number): number => view.getInt16(at, littleEndian);
  const int32 = (at: number): number => view.getInt32(at, littleEndian);
  const real = (one: number, other: number, index: number): number =>
    two ? view.getFloat64(other + 8 * index, littleEndian) : view.getFloat32(one + 4 * index, littleEndian);
  const reals = (one: number, other: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => real(one, other, index));

  const dim = Array.from({ length: 8 }, (_, index) => (two ? int64(16 + 8 * index) : int16(40 + 2 * index)));
  const datatype = int16(two ? 12 : 70);
  const voxelOffset = two ? int64(168) : real(108, 0, 0);
  const header: NiftiHeader = {
    version,
    littleEndian,
    size: sizeOf(dim, name),
    datatype,
    bytesPerVoxel: BYTES[datatype] ?? 0,
    voxelOffset,
    slope: real(112, 176, 0),
    intercept: real(116, 184, 0),
    pixdim: reals(76, 104, 4),
    qformCode: two ? int32(344) : int16(252),
    sformCode: two ? int32(348) : int16(254),
    quaternion: reals(256, 352, 6),
    sform: reals(280, 400, 12),
    millimetresPerUnit: MILLIMETRES[(two ? int32(500) : bytes[123]!) & 7] ?? 1,
  };
  if (header.bytesPerVoxel === 0) {
    fail(
      'UNSUPPORTED',
      `${name} has NIfTI datatype ${datatype}; integers of 8 to 64 bits and floats of 32 and 64 are read`,
    );
  }
  const bits = int16(two ? 14 : 72);
  if (bits !== 8 * header.bytesPerVoxel) {
    fail(
      'MALFORMED',
      `${name} says ${bits} bits a voxel, its datatype ${datatype} has ${8 * header.bytesPerVoxel}`,
    );
  }
  if (!(Number.isInteger(voxelOffset) && voxelOffset >= headerSize && voxelOffset <= MAX_VOXEL_OFFSET)) {
    fail(
      'MALFORMED',
      `${name} has its voxels at offset ${voxelOffset}; ${headerSize} to ${MAX_VOXEL_OFFSET} is possible`,
    );
  }
  return header;
}

/** Length that the file has to have (uncompressed). */
export function niftiFileBytes({ size, voxelOffset, bytesPerVoxel }: NiftiHeader): number {
  return voxelOffset + size[0] * size[1] * size[2] * bytesPerVoxel;
}

function sizeOf(dim: number[], name: string): Vec3 {
  const rank = dim[0]!;
  if (!(rank >= 1 && rank <= 7)) fail('MALFORMED', `${name} has ${rank} dimensions; 1 to 7 are possible`);
  const used = dim.slice(1, rank + 1);
  // some writers leave 0 for an axis they do not use
  if (used.some((n, axis) => n < (axis < 3 ? 1 : 0)))
    fail('MALFORMED', `${name} has size ${used.join(' x ')}`);
  if (used.slice(3).some((n) => n > 1)) {
    fail(
      'UNSUPPORTED',
      `${name} has size ${used.join(' x ')}: write each time point or channel to a file of its own`,
    );
  }
  const [x = 1, y = 1, z = 1] = used;
  if (x * y * z > MAX_VOXELS)
    fail('TOO_LARGE', `${name} has size ${x} x ${y} x ${z}, more than ${MAX_VOXELS} voxels`);
  return [x, y, z];
}

function fail(code: ImagingError['code'], message: string): never {
  throw new ImagingError({ code, message });
}
