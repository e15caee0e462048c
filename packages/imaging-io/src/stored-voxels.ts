import { MAX_VOXELS, type Vec3 } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { MAX_DEFLATE_RATIO, MAX_LARGE_RATIO, MAX_TRAILING_BYTES, MAX_UNQUESTIONED_BYTES } from './limits.js';
import { bytesPerVoxel, type VoxelType } from './voxel-type.js';

/** Where a text header (NRRD, MetaImage) says that its voxels are and how they are stored. */
export interface StoredVoxels {
  readonly size: Vec3;
  readonly type: VoxelType;
  readonly littleEndian: boolean;
  /** gzip or zlib: which of them, the first bytes say */
  readonly compressed: boolean;
  /** How many bytes the compressed voxels take; undefined: all to the end of the file. */
  readonly compressedBytes: number | undefined;
  /** The file that holds them; undefined where they follow the header. */
  readonly dataFile: string | undefined;
  /** Where the data begins in that file. */
  readonly dataOffset: number;
  /** Lines between `dataOffset` and the data. */
  readonly lineSkip: number;
  /** Bytes before the voxels, counted after expansion; -1: the voxels are the last bytes of the file. */
  readonly byteSkip: number;
}

/** Bytes of the voxels, uncompressed. */
export function storedBytes({ size, type }: StoredVoxels): number {
  return size[0] * size[1] * size[2] * bytesPerVoxel(type);
}

/**
 * @param sizes whole positive numbers, not limited otherwise
 * @throws ImagingError TOO_LARGE
 */
export function checkedSize(sizes: readonly number[], name: string): Vec3 {
  const [x = 1, y = 1, z = 1] = sizes;
  if (!(x * y * z <= MAX_VOXELS)) {
    throw new ImagingError({
      code: 'TOO_LARGE',
      message: `${name} has size ${x} x ${y} x ${z}, more than ${MAX_VOXELS} voxels`,
    });
  }
  return [x, y, z];
}

/**
 * Where the voxels of an uncompressed file lie, `start` being `dataOffset` behind its skipped lines.
 * @throws ImagingError TRUNCATED
 */
export function rawOffset(stored: StoredVoxels, start: number, fileBytes: number, name: string): number {
  const expected = storedBytes(stored);
  const offset = stored.byteSkip < 0 ? fileBytes - expected : start + stored.byteSkip;
  if (offset < start || fileBytes < offset + expected) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${name} has ${Math.max(0, fileBytes - start - Math.max(0, stored.byteSkip))} bytes of voxels, its header announces ${expected}: copy or download it again`,
    });
  }
  return offset;
}

/**
 * How many bytes compressed voxels should and may expand to.
 * @throws ImagingError TRUNCATED where so few bytes cannot hold the voxels, TOO_LARGE for a bomb
 */
export function expansionOf(
  stored: StoredVoxels,
  compressedBytes: number,
  name: string,
): { expected: number; limit: number } {
  const expected = stored.byteSkip + storedBytes(stored);
  if (expected > compressedBytes * MAX_DEFLATE_RATIO) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${name} has ${compressedBytes} bytes of compressed voxels, which cannot hold the ${expected} its header announces`,
    });
  }
  if (expected > MAX_UNQUESTIONED_BYTES && expected > compressedBytes * MAX_LARGE_RATIO) {
    throw new ImagingError({
      code: 'TOO_LARGE',
      message: `${name} would expand from ${compressedBytes} to ${expected} bytes: save it uncompressed if it is real`,
    });
  }
  return { expected, limit: expected + MAX_TRAILING_BYTES };
}

/**
 * How many compressed bytes there are behind `start`.
 * @throws ImagingError TRUNCATED
 */
export function compressedLength(
  { compressedBytes }: StoredVoxels,
  start: number,
  fileBytes: number,
  name: string,
): number {
  const available = Math.max(0, fileBytes - start);
  if (compressedBytes !== undefined && compressedBytes > available) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${name} has ${available} bytes of compressed voxels, its header announces ${compressedBytes}: copy or download it again`,
    });
  }
  return compressedBytes ?? available;
}

/** The error for compressed voxels of another length than announced. */
export function wrongLength(found: 'less' | 'more', expected: number, name: string): ImagingError {
  return new ImagingError({
    code: found === 'less' ? 'TRUNCATED' : 'MALFORMED',
    message: `${name} expands to ${found} than the ${expected} bytes its header announces`,
  });
}

/**
 * Where the data begins behind `lineSkip` lines.
 * @throws ImagingError TRUNCATED
 */
export function skipLines(bytes: Uint8Array, { dataOffset, lineSkip }: StoredVoxels, name: string): number {
  let at = dataOffset;
  for (let line = 0; line < lineSkip; line++) {
    at = bytes.indexOf(0x0a, at) + 1;
    if (at === 0) {
      throw new ImagingError({
        code: 'TRUNCATED',
        message: `${name} ends within the ${lineSkip} lines that its header says to skip`,
      });
    }
  }
  return at;
}
