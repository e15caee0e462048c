import { type Grid, IDENTITY, SHEAR_TOLERANCE, type Vec3, type Volume } from '@onco-response/volume';
import { bytesSource } from './bytes-source.js';
import { refuseNaN } from './check-voxels.js';
import { compressBytes } from './compress-bytes.js';
import { type DetachedOptions, givenDataFile } from './detached-data.js';
import { type MetaImageHeader, parseMetaImageHeader } from './meta-image-header.js';
import type { ReadOptions, ReadVolume } from './nifti.js';
import { startReading } from './reading.js';
import { readStoredVoxels } from './stored-voxel-source.js';
import { streamExpander } from './stream-expander.js';
import { finiteNumbers, gridAxes, refuse } from './text-header.js';
import { type VoxelType, voxelsFromBytes } from './voxel-type.js';
import { writableVolume } from './writable-volume.js';
import { voxelBytes } from './write-nifti-header.js';

/**
 * A volume from the bytes of a .mha file, or of a .mhd header with its data file: raw or zlib, both byte orders.
 * Runs in a browser; `@onco-response/imaging-io/node` reads paths.
 * Reference: https://itk.org/Wiki/MetaIO/Documentation
 * @throws ImagingError TRUNCATED, CORRUPT (a damaged stream), MALFORMED, UNSUPPORTED (several channels, another number of dimensions),
 * TOO_LARGE, NAN_VOXELS, NOT_FOUND (a header without its data file)
 * @example
 * const volume = await readMetaImage(new Uint8Array(await file.arrayBuffer()));
 */
export async function readMetaImage(
  bytes: Uint8Array,
  { name = 'the MetaImage file', dataFile, ...options }: ReadOptions & DetachedOptions = {},
): Promise<ReadVolume> {
  const { header, voxels } = await readStoredVoxels(
    bytesSource(bytes, name),
    { dataFile: () => givenDataFile(dataFile, name) },
    parseMetaImageHeader,
    startReading(streamExpander, {}),
  );
  return metaImageVolume(header, voxels, name, options);
}

/** A volume from a parsed header and exactly the bytes of its voxels. */
export function metaImageVolume(
  header: MetaImageHeader,
  voxels: Uint8Array,
  name: string,
  { allowNaN = false }: ReadOptions,
): ReadVolume {
  const { grid, warnings } = metaImageGrid(header, name);
  const data = voxelsFromBytes(voxels, header, name);
  if (!allowNaN) refuseNaN(data, name);
  return { data, ...grid, warnings };
}

/** MetaIO knows each of these fields under several names. */
function metaImageGrid({ fields, size }: MetaImageHeader, name: string): { grid: Grid; warnings: string[] } {
  const warnings: string[] = [];
  const numbers = (names: readonly string[], count: number, absent: readonly number[]): number[] => {
    const given = names.filter((field) => fields.has(field));
    if (given.length > 1) refuse('MALFORMED', `${name} has both ${given.join(' and ')}`);
    const [field] = given;
    if (field !== undefined) return finiteNumbers(fields.get(field)!, field, count, name);
    warnings.push(`${name} has no ${names[0]}: taken as ${absent.join(' ')}`);
    return [...absent];
  };
  // each row of the file is the direction of one voxel axis
  const matrix = numbers(['TransformMatrix', 'Rotation', 'Orientation'], 9, IDENTITY);
  const origin = numbers(['Offset', 'Position', 'Origin'], 3, [0, 0, 0]);
  const spacing = numbers([fields.has('ElementSpacing') ? 'ElementSpacing' : 'ElementSize'], 3, [1, 1, 1]);
  if (spacing.some((mm) => mm <= 0)) refuse('MALFORMED', `${name} has a spacing that is not positive`);
  const rows = [0, 1, 2].map((axis) => matrix.slice(3 * axis, 3 * axis + 3));
  const { direction, spacing: lengths } = gridAxes(rows, name);
  if (lengths.some((length) => Math.abs(length - 1) > SHEAR_TOLERANCE)) {
    refuse('MALFORMED', `${name}: the rows of its TransformMatrix are no unit vectors`);
  }
  return {
    grid: { size, spacing: spacing as unknown as Vec3, origin: origin as unknown as Vec3, direction },
    warnings,
  };
}

/**
 * The bytes of a .mha file, zlib-compressed where asked. Voxels keep their type.
 * @throws ImagingError INVALID_VOLUME, UNSUPPORTED
 * @example
 * const bytes = await writeMetaImage(volume, { compress: true });
 */
export async function writeMetaImage(
  volume: Volume,
  { compress = false }: { compress?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const voxels = voxelBytes(volume);
  const data = compress ? await compressBytes(voxels, 'deflate') : voxels;
  const header = metaImageHeaderBytes(volume, {
    compressedBytes: compress ? data.length : undefined,
    name: 'the volume',
  });
  return new Uint8Array(await new Blob([header, data]).arrayBuffer());
}

const TYPE_NAMES = {
  int8: 'MET_CHAR',
  uint8: 'MET_UCHAR',
  int16: 'MET_SHORT',
  uint16: 'MET_USHORT',
  int32: 'MET_INT',
  uint32: 'MET_UINT',
  float32: 'MET_FLOAT',
  float64: 'MET_DOUBLE',
} as const satisfies Partial<Record<VoxelType, string>>;

/** The text before the voxels; `compressedBytes` is undefined where they are not compressed. */
export function metaImageHeaderBytes(
  volume: Volume,
  { compressedBytes, name }: { compressedBytes: number | undefined; name: string },
): Uint8Array<ArrayBuffer> {
  const { type, axes } = writableVolume(volume, name);
  return new TextEncoder().encode(
    [
      'ObjectType = Image',
      'NDims = 3',
      'BinaryData = True',
      'BinaryDataByteOrderMSB = False',
      ...(compressedBytes === undefined
        ? ['CompressedData = False']
        : ['CompressedData = True', `CompressedDataSize = ${compressedBytes}`]),
      `TransformMatrix = ${axes.flat().join(' ')}`,
      `Offset = ${volume.origin.join(' ')}`,
      'CenterOfRotation = 0 0 0',
      `ElementSpacing = ${volume.spacing.join(' ')}`,
      `DimSize = ${volume.size.join(' ')}`,
      `ElementType = ${TYPE_NAMES[type]}`,
      'ElementDataFile = LOCAL\n',
    ].join('\n'),
  );
}
