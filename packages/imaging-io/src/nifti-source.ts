import type { ByteRange, ByteSource } from './byte-source.js';
import { ImagingError } from './imaging-error.js';
import { MAX_DEFLATE_RATIO, MAX_LARGE_RATIO, MAX_TRAILING_BYTES, MAX_UNQUESTIONED_BYTES } from './limits.js';
import { niftiVolume, type ReadOptions, type ReadVolume } from './nifti.js';
import { NIFTI_HEADER_BYTES, type NiftiHeader, niftiFileBytes, parseNiftiHeader } from './nifti-header.js';
import type { Reading } from './reading.js';

/** Reads exactly the given file: no sibling of another ending, as ITK does, and compression by content, not by name. */
export async function readNiftiSource(
  source: ByteSource,
  options: ReadOptions,
  reading: Reading,
): Promise<ReadVolume> {
  const { name, size } = source;
  const start = await source.read(0, Math.min(size, NIFTI_HEADER_BYTES));
  if (isGzip(start)) return expandNifti(source, options, reading);
  const header = parseNiftiHeader(start, name);
  const expected = niftiFileBytes(header);
  if (size < expected) throw tooShort(size, expected, name);
  const voxels = await source.read(header.voxelOffset, expected - header.voxelOffset);
  reading.step({ done: size, total: size, unit: 'bytes' });
  return niftiVolume(header, voxels, name, options);
}

async function expandNifti(
  source: ByteSource,
  options: ReadOptions,
  { expander, step }: Reading,
): Promise<ReadVolume> {
  const { name, size } = source;
  const range: ByteRange = { offset: 0, length: size };
  const header = parseNiftiHeader(await expander.start(source, range, NIFTI_HEADER_BYTES), name);
  const expected = niftiFileBytes(header);
  const limit = expandedLimit(expected, size, name);
  const bytes = await expander.all(source, range, { expected, limit }, (done) =>
    step({ done, total: size, unit: 'bytes' }),
  );
  if (bytes === undefined) throw tooMuchData(header, name);
  if (bytes.length < expected) throw tooShort(bytes.length, expected, name);
  return niftiVolume(header, bytes.subarray(header.voxelOffset, expected), name, options);
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * How many bytes the file may expand to, from its header and compressed length.
 * @throws ImagingError TRUNCATED where so few bytes cannot hold the voxels, TOO_LARGE for a bomb
 */
function expandedLimit(expected: number, compressedBytes: number, name: string): number {
  if (expected > compressedBytes * MAX_DEFLATE_RATIO) {
    throw new ImagingError({
      code: 'TRUNCATED',
      message: `${name} has ${compressedBytes} bytes, which cannot hold the ${expected} its header announces`,
    });
  }
  if (expected > MAX_UNQUESTIONED_BYTES && expected > compressedBytes * MAX_LARGE_RATIO) {
    throw new ImagingError({
      code: 'TOO_LARGE',
      message: `${name} would expand from ${compressedBytes} to ${expected} bytes: save it uncompressed if it is real`,
    });
  }
  return expected + MAX_TRAILING_BYTES;
}

function tooShort(found: number, expected: number, name: string): ImagingError {
  return new ImagingError({
    code: 'TRUNCATED',
    message: `${name} has ${found} bytes, its header announces ${expected}: copy or download it again`,
  });
}

/** The error for a compressed file that holds more than its header announces. */
function tooMuchData(header: NiftiHeader, name: string): ImagingError {
  return new ImagingError({
    code: 'MALFORMED',
    message: `${name} expands to more than the ${niftiFileBytes(header)} bytes its header announces`,
  });
}
