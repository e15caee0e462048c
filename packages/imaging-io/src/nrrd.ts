import type { Volume } from '@onco-response/volume';
import { bytesSource } from './bytes-source.js';
import { refuseNaN } from './check-voxels.js';
import { compressBytes } from './compress-bytes.js';
import { type DetachedOptions, givenDataFile } from './detached-data.js';
import type { ReadOptions, ReadVolume } from './nifti.js';
import { nrrdGrid } from './nrrd-geometry.js';
import { type NrrdHeader, parseNrrdHeader } from './nrrd-header.js';
import { startReading } from './reading.js';
import { readStoredVoxels } from './stored-voxel-source.js';
import { streamExpander } from './stream-expander.js';
import { voxelsFromBytes } from './voxel-type.js';
import { writableVolume } from './writable-volume.js';
import { voxelBytes } from './write-nifti-header.js';

/**
 * A volume from the bytes of a .nrrd file, or of a .nhdr header with its data file: raw or gzip, both byte orders,
 * coordinates turned into LPS. Runs in a browser; `@onco-response/imaging-io/node` reads paths.
 * Reference: https://teem.sourceforge.net/nrrd/format.html
 * @throws ImagingError TRUNCATED, CORRUPT (a damaged stream), MALFORMED, UNSUPPORTED (several time points or channels, text and bzip2
 * encodings), TOO_LARGE, NAN_VOXELS, NOT_FOUND (a header without its data file)
 * @example
 * const volume = await readNrrd(new Uint8Array(await file.arrayBuffer()));
 */
export async function readNrrd(
  bytes: Uint8Array,
  { name = 'the NRRD file', dataFile, ...options }: ReadOptions & DetachedOptions = {},
): Promise<ReadVolume> {
  const { header, voxels } = await readStoredVoxels(
    bytesSource(bytes, name),
    { dataFile: () => givenDataFile(dataFile, name) },
    parseNrrdHeader,
    startReading(streamExpander, {}),
  );
  return nrrdVolume(header, voxels, name, options);
}

/** A volume from a parsed header and exactly the bytes of its voxels. */
export function nrrdVolume(
  header: NrrdHeader,
  voxels: Uint8Array,
  name: string,
  { allowNaN = false }: ReadOptions,
): ReadVolume {
  const { grid, warnings } = nrrdGrid(header, name);
  const data = voxelsFromBytes(voxels, header, name);
  if (!allowNaN) refuseNaN(data, name);
  return { data, ...grid, warnings };
}

/**
 * The bytes of a .nrrd file, gzip-compressed where asked. Voxels keep their type; geometry is written in LPS.
 * @throws ImagingError INVALID_VOLUME, UNSUPPORTED
 * @example
 * const bytes = await writeNrrd(volume, { compress: true });
 */
export async function writeNrrd(
  volume: Volume,
  { compress = false }: { compress?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const header = nrrdHeaderBytes(volume, { compress, name: 'the volume' });
  const voxels = voxelBytes(volume);
  const parts = [header, compress ? await compressBytes(voxels, 'gzip') : voxels];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The text before the voxels. */
export function nrrdHeaderBytes(
  volume: Volume,
  { compress, name }: { compress: boolean; name: string },
): Uint8Array<ArrayBuffer> {
  const { type, axes } = writableVolume(volume, name);
  const vector = (values: readonly number[]): string => `(${values.join(',')})`;
  return new TextEncoder().encode(
    [
      'NRRD0004',
      '# Complete NRRD file format specification at:',
      '# http://teem.sourceforge.net/nrrd/format.html',
      `type: ${type === 'float32' ? 'float' : type === 'float64' ? 'double' : type}`,
      'dimension: 3',
      'space: left-posterior-superior',
      `sizes: ${volume.size.join(' ')}`,
      `space directions: ${axes.map((axis, at) => vector(axis.map((v) => v * volume.spacing[at]!))).join(' ')}`,
      'kinds: domain domain domain',
      'endian: little',
      `encoding: ${compress ? 'gzip' : 'raw'}`,
      `space origin: ${vector(volume.origin)}`,
      '\n',
    ].join('\n'),
  );
}
