import type { Volume } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';
import { MAX_DEFLATE_RATIO, MAX_LARGE_RATIO, MAX_TRAILING_BYTES, MAX_UNQUESTIONED_BYTES } from './limits.js';
import { parseNifti, type ReadOptions, type ReadVolume } from './nifti.js';
import { NIFTI_HEADER_BYTES, type NiftiHeader, niftiFileBytes, parseNiftiHeader } from './nifti-header.js';
import { niftiHeaderBytes, voxelBytes } from './write-nifti-header.js';

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * How many bytes the file may expand to, from its header and compressed length.
 * @throws ImagingError TRUNCATED where so few bytes cannot hold the voxels, TOO_LARGE for a bomb
 */
export function expandedLimit(header: NiftiHeader, compressedBytes: number, name: string): number {
  const expected = niftiFileBytes(header);
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

/** The error for a compressed file that holds more than its header announces. */
export function tooMuchData(header: NiftiHeader, name: string): ImagingError {
  return new ImagingError({
    code: 'MALFORMED',
    message: `${name} expands to more than the ${niftiFileBytes(header)} bytes its header announces`,
  });
}

/**
 * A volume from the bytes of a .nii or .nii.gz file. Runs in a browser; `@onco-response/imaging-io/node` reads paths.
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED, TOO_LARGE, NAN_VOXELS
 * @example
 * const volume = await readNifti(new Uint8Array(await file.arrayBuffer()));
 */
export async function readNifti(
  bytes: Uint8Array<ArrayBuffer>,
  { name = 'the NIfTI file', ...options }: ReadOptions & { name?: string } = {},
): Promise<ReadVolume> {
  // voxels become views: a copy keeps the caller's bytes as they were
  return parseNifti(isGzip(bytes) ? await expand(bytes, name) : bytes.slice(), name, options);
}

async function expand(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let header: NiftiHeader | undefined;
  let limit = Number.POSITIVE_INFINITY;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new ImagingError({ code: 'TRUNCATED', message: `${name} is a damaged or cut gzip stream` });
    });
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (header === undefined && length >= NIFTI_HEADER_BYTES) {
      header = parseNiftiHeader(join(chunks, length).subarray(0, NIFTI_HEADER_BYTES), name);
      limit = expandedLimit(header, bytes.length, name);
    }
    if (header !== undefined && length > limit) {
      await reader.cancel().catch(() => undefined);
      throw tooMuchData(header, name);
    }
  }
  return join(chunks, length);
}

function join(chunks: Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/**
 * The bytes of a NIfTI-1 file, gzip-compressed where asked. Voxels keep their type.
 * @throws ImagingError UNSUPPORTED for an axis of more than 32767 voxels
 * @example
 * const bytes = await writeNifti(volume, { compress: true });
 */
export async function writeNifti(
  volume: Volume,
  { compress = false }: { compress?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = new Blob([
    niftiHeaderBytes(volume, 'the volume') as Uint8Array<ArrayBuffer>,
    voxelBytes(volume),
  ]);
  const stream = compress ? parts.stream().pipeThrough(new CompressionStream('gzip')) : parts.stream();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
