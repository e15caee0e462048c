import type { Volume } from '@onco-response/volume';
import { bytesSource } from './bytes-source.js';
import type { ReadOptions, ReadVolume } from './nifti.js';
import { readNiftiSource } from './nifti-source.js';
import { startReading } from './reading.js';
import { streamExpander } from './stream-expander.js';
import { niftiHeaderBytes, voxelBytes } from './write-nifti-header.js';

/**
 * A volume from the bytes of a .nii or .nii.gz file. Runs in a browser; `@onco-response/imaging-io/node` reads paths.
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED, UNSUPPORTED, TOO_LARGE, NAN_VOXELS
 * @example
 * const volume = await readNifti(new Uint8Array(await file.arrayBuffer()));
 */
export async function readNifti(
  bytes: Uint8Array,
  { name = 'the NIfTI file', ...options }: ReadOptions & { name?: string } = {},
): Promise<ReadVolume> {
  return readNiftiSource(bytesSource(bytes, name), options, startReading(streamExpander, {}));
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
