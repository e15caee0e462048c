import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Vec3, VoxelArray } from '@onco-response/volume';
import type { ByteSource } from '../byte-source.js';
import { refuseNaN } from '../check-voxels.js';
import { MAX_ITK_BYTES } from '../limits.js';
import type { ReadVolume } from '../nifti.js';
import type { OtherFormats } from '../other-formats.js';
import type { Reading } from '../reading.js';
import {
  checkedSize,
  expansionOf,
  rawOffset,
  type StoredVoxels,
  storedBytes,
  wrongLength,
} from '../stored-voxels.js';
import { gridAxes, refuse } from '../text-header.js';
import type { VoxelType } from '../voxel-type.js';
import { ITK_FORMATS, ITK_START_BYTES, type ItkFormat } from './itk-headers.js';

/** What is used of @itk-wasm/image-io. */
type ItkWasm = Pick<typeof import('@itk-wasm/image-io'), ItkFormat['reader']>;
type ItkImage = Awaited<ReturnType<ItkWasm['mghReadImageNode']>>['image'];

/** An optional package: 27 MB that most never need. */
const importItkWasm = (): Promise<ItkWasm> => import('@itk-wasm/image-io');

/** Formats read by itk-wasm, which prints and blocks its thread: for the reading thread only. */
export function itkFormats(load: () => Promise<ItkWasm> = importItkWasm): OtherFormats {
  return {
    endings: '.mgh, .mgz, .mnc, .gipl, .gipl.gz, .vtk, .h5',
    reads: (name) => formatOf(name) !== undefined,
    async read(source, options, reading) {
      const { name, size } = source;
      if (size > MAX_ITK_BYTES) tooLarge(size, name);
      const format = formatOf(name)!;
      const compressed = isGzip(await source.read(0, Math.min(size, 2)));
      const voxelOffset = format.voxelOffset(await startOf(source, compressed, reading), name);
      await format.check?.(source);
      const itkWasm = await loaded(load, name);
      const path = mountedPath(name);
      const read = (informationOnly: boolean): Promise<ItkImage> =>
        imageFrom(() => itkWasm[format.reader](path, { informationOnly }), name);
      const stored = storedVoxels(await read(true), { compressed, byteSkip: voxelOffset ?? 0 }, name);
      if (voxelOffset === undefined) expansionOf(stored, size, name);
      else await refuseCutOff(source, stored, reading);
      const volume = volumeOf(await read(false), stored, format, name);
      if (options.allowNaN !== true) refuseNaN(volume.data, name);
      reading.step({ done: size, total: size, unit: 'bytes' });
      return volume;
    },
  };
}

function formatOf(name: string): ItkFormat | undefined {
  return ITK_FORMATS.find(({ names }) => names.test(name));
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function startOf(
  source: ByteSource,
  compressed: boolean,
  { expander }: Reading,
): Promise<Uint8Array> | Uint8Array {
  const { size } = source;
  if (compressed) return expander.start(source, { offset: 0, length: size }, ITK_START_BYTES);
  return source.read(0, Math.min(size, ITK_START_BYTES));
}

async function loaded(load: () => Promise<ItkWasm>, name: string): Promise<ItkWasm> {
  try {
    return await load();
  } catch {
    return refuse(
      'UNSUPPORTED',
      `${name} needs a package that is not installed: pnpm add @itk-wasm/image-io@1.6.1`,
    );
  }
}

/** The file behind links: itk-wasm sees that file's folder and nothing else, and cannot take the root for one. */
function mountedPath(name: string): string {
  const path = realpathSync(name);
  if (dirname(path) === dirname(dirname(path))) {
    refuse('UNSUPPORTED', `${name} lies in no folder: move it into one, itk-wasm takes none from the root`);
  }
  return path;
}

/**
 * Runs itk-wasm. Its C++ errors come as bare numbers, addresses of texts in a memory that is gone; its other errors show
 * anything. Neither gets out of here.
 * @throws ImagingError CORRUPT
 */
async function imageFrom(
  read: () => Promise<{ couldRead: unknown; image: ItkImage }>,
  name: string,
): Promise<ItkImage> {
  try {
    const { couldRead, image } = await read();
    if (couldRead === true) return image;
  } catch {
    // said below
  }
  return refuse(
    'CORRUPT',
    `${name} is not read by itk-wasm: it is damaged, cut off, or not what its name says; copy it again, or convert it to .nii.gz`,
  );
}

const VOXEL_TYPES: readonly string[] = [
  ...['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'],
  ...['float32', 'float64'],
];

/** What the header announces. @throws ImagingError UNSUPPORTED, MALFORMED, TOO_LARGE */
function storedVoxels(
  { imageType, size }: ItkImage,
  where: Pick<StoredVoxels, 'compressed' | 'byteSkip'>,
  name: string,
): StoredVoxels {
  const { dimension, components, componentType } = imageType;
  if (dimension !== 3 || components !== 1) {
    refuse(
      'UNSUPPORTED',
      `${name} has ${dimension} dimensions and ${components} values a voxel: 3 and 1 are read`,
    );
  }
  if (!VOXEL_TYPES.includes(componentType)) {
    refuse('UNSUPPORTED', `${name} has voxels of a type that is not read: save it as int16 or float32`);
  }
  if (size.length !== 3 || !size.every((count) => Number.isInteger(count) && count > 0)) {
    refuse('MALFORMED', `${name} has an axis without voxels`);
  }
  const stored: StoredVoxels = {
    ...where,
    size: checkedSize(size, name),
    type: componentType as VoxelType,
    littleEndian: true,
    compressedBytes: undefined,
    dataFile: undefined,
    dataOffset: 0,
    lineSkip: 0,
  };
  if (storedBytes(stored) > MAX_ITK_BYTES) tooLarge(storedBytes(stored), name);
  return stored;
}

function tooLarge(bytes: number, name: string): never {
  return refuse(
    'TOO_LARGE',
    `${name} has ${bytes} bytes; ${MAX_ITK_BYTES} are read of its format: convert it to .nii.gz`,
  );
}

/**
 * ITK fills up with zeros what a file lacks, and looks at no checksum.
 * @throws ImagingError TRUNCATED, CORRUPT, MALFORMED, TOO_LARGE
 */
async function refuseCutOff(source: ByteSource, stored: StoredVoxels, { expander }: Reading): Promise<void> {
  const { name, size } = source;
  if (!stored.compressed) {
    rawOffset(stored, 0, size, name);
    return;
  }
  const expansion = expansionOf(stored, size, name);
  const bytes = await expander.all(source, { offset: 0, length: size }, expansion, () => undefined);
  if (bytes === undefined) throw wrongLength('more', expansion.expected, name);
  if (bytes.length < expansion.expected) throw wrongLength('less', expansion.expected, name);
}

/** An image of itk-wasm in LPS. @throws ImagingError CORRUPT, MALFORMED, UNSUPPORTED (sheared axes) */
function volumeOf(
  { data, size, spacing, origin, direction }: ItkImage,
  stored: StoredVoxels,
  { ras = false, unoriented = false }: ItkFormat,
  name: string,
): ReadVolume {
  const [x, y, z] = stored.size;
  if (data === null || data.length !== x * y * z || String(size) !== String(stored.size)) {
    refuse('CORRUPT', `${name} has other voxels than its header announces`);
  }
  const inLps = (values: readonly number[]): number[] =>
    values.map((value, row) => (ras && row < 2 ? -value : value) + 0);
  // direction is row-major: a column is a voxel axis
  const axis = (column: number): number[] =>
    inLps([0, 1, 2].map((row) => Number(direction[3 * row + column]) * spacing[column]!));
  if (!origin.every(Number.isFinite)) refuse('MALFORMED', `${name} has an origin that is no point in space`);
  return {
    data: data.slice() as VoxelArray, // out of shared memory, which cannot be handed over
    size: stored.size,
    origin: inLps(origin) as unknown as Vec3,
    ...gridAxes([0, 1, 2].map(axis), name),
    warnings: unoriented ? [`${name} says nothing about orientation: axes taken as LPS`] : [],
  };
}
