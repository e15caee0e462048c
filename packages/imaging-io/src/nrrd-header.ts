import type { Vec3 } from '@onco-response/volume';
import { MAX_TEXT_FIELD, MAX_TEXT_HEADER_BYTES, MAX_VOXEL_OFFSET } from './limits.js';
import { checkedSize, type StoredVoxels } from './stored-voxels.js';
import { quoted, refuse, wholeNumbers } from './text-header.js';
import { bytesPerVoxel, type VoxelType } from './voxel-type.js';

/** Field names without their blanks, lower case (`data file` and `datafile` are the same field). */
export type NrrdFields = ReadonlyMap<string, string>;

export interface NrrdHeader extends StoredVoxels {
  readonly fields: NrrdFields;
  /** Number of axes in the file, and which of them are x, y and z of the volume. */
  readonly dimension: number;
  readonly spatialAxes: Vec3;
}

const TYPES = new Map<string, VoxelType>([
  ...alias('int8', 'signed char', 'int8_t'),
  ...alias('uint8', 'uchar', 'unsigned char', 'uint8_t'),
  ...alias('int16', 'short', 'short int', 'signed short', 'signed short int', 'int16_t'),
  ...alias('uint16', 'ushort', 'unsigned short', 'unsigned short int', 'uint16_t'),
  ...alias('int32', 'int', 'signed int', 'int32_t'),
  ...alias('uint32', 'uint', 'unsigned int', 'uint32_t'),
  ...alias('int64', 'longlong', 'long long', 'long long int', 'signed long long'),
  ...alias('int64', 'signed long long int', 'int64_t'),
  ...alias('uint64', 'ulonglong', 'unsigned long long', 'unsigned long long int', 'uint64_t'),
  ...alias('float32', 'float'),
  ...alias('float64', 'double'),
]);

function alias(type: VoxelType, ...names: string[]): [string, VoxelType][] {
  return [type, ...names].map((name) => [name, type]);
}

/** `kinds` of an axis that runs through space; `none` and `???` say nothing. Others count time points or components. */
const SPATIAL_KINDS = new Set(['domain', 'space', 'none', '???']);

/**
 * Parses the header at the start of a .nrrd or .nhdr file.
 * Reference: https://teem.sourceforge.net/nrrd/format.html
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED, TOO_LARGE
 */
export function parseNrrdHeader(bytes: Uint8Array, name: string): NrrdHeader {
  const { lines, end } = headerLines(bytes, name);
  const fields = fieldsOf(lines, name);
  const dataFile = fields.get('datafile');
  if (end === undefined && dataFile === undefined) {
    if (bytes.length >= MAX_TEXT_HEADER_BYTES) {
      refuse('MALFORMED', `${name}: its NRRD header does not end within ${MAX_TEXT_HEADER_BYTES} bytes`);
    }
    refuse('TRUNCATED', `${name} ends inside its NRRD header: copy or download it again`);
  }
  if (dataFile !== undefined && (/^LIST\b/.test(dataFile) || /%\d*d/.test(dataFile))) {
    refuse('UNSUPPORTED', `${name} has its voxels in several files: save it as one .nrrd file`);
  }
  const required = (field: string): string =>
    fields.get(field) ?? refuse('MALFORMED', `${name}: its NRRD header has no ${field}`);

  const type = TYPES.get(required('type').toLowerCase());
  if (type === undefined) refuse('UNSUPPORTED', `${name} has voxels of type ${quoted(required('type'))}`);
  const [dimension = 0] = wholeNumbers(required('dimension'), 'dimension', name);
  const sizes = wholeNumbers(required('sizes'), 'sizes', name);
  if (dimension > 16 || sizes.length !== dimension) {
    refuse('MALFORMED', `${name} has ${sizes.length} sizes for ${quoted(required('dimension'))} dimensions`);
  }
  const spatialAxes = spatialAxesOf(fields, sizes, name);
  const encoding = required('encoding').toLowerCase();
  const compressed = encoding === 'gzip' || encoding === 'gz';
  if (!compressed && encoding !== 'raw') {
    refuse('UNSUPPORTED', `${name} has encoding ${quoted(encoding)}: save it as raw or gzip`);
  }
  const endian = fields.get('endian')?.toLowerCase();
  if (endian !== 'little' && endian !== 'big' && (endian !== undefined || bytesPerVoxel(type) > 1)) {
    refuse('MALFORMED', `${name}: its NRRD header does not say whether its endian is little or big`);
  }
  const lineSkip = skipOf(fields.get('lineskip'), 'line skip', 0, name);
  return {
    fields,
    dimension,
    spatialAxes,
    size: checkedSize(
      spatialAxes.map((axis) => sizes[axis]!),
      name,
    ),
    type,
    littleEndian: endian !== 'big',
    compressed,
    compressedBytes: undefined,
    dataFile,
    dataOffset: dataFile === undefined ? end! : 0,
    lineSkip,
    byteSkip: skipOf(fields.get('byteskip'), 'byte skip', compressed ? 0 : -1, name),
  };
}

function skipOf(value: string | undefined, field: string, least: number, name: string): number {
  const skip = value === undefined ? 0 : Number(value);
  if (!Number.isInteger(skip) || skip < least || skip > MAX_VOXEL_OFFSET) {
    refuse(
      'MALFORMED',
      `${name} has ${field} ${quoted(value!)}; ${least} to ${MAX_VOXEL_OFFSET} is possible`,
    );
  }
  return skip;
}

/** The lines up to the first empty one, and the offset behind it (undefined where there is none). */
function headerLines(bytes: Uint8Array, name: string): { lines: string[]; end: number | undefined } {
  const searched = bytes.subarray(0, MAX_TEXT_HEADER_BYTES);
  const magic = new TextDecoder().decode(searched.subarray(0, 8));
  if (!/^NRRD0[01]/.test(magic)) {
    if ('NRRD0001'.startsWith(magic)) refuse('TRUNCATED', `${name} has ${bytes.length} bytes`);
    refuse('MALFORMED', `${name} is no NRRD file: it does not begin with NRRD000`);
  }
  let end: number | undefined;
  let stop = searched.length;
  for (let at = searched.indexOf(0x0a); at >= 0; at = searched.indexOf(0x0a, at + 1)) {
    const next = searched[at + 1] === 0x0d ? at + 2 : at + 1;
    if (searched[next] !== 0x0a) continue;
    stop = at;
    end = next + 1;
    break;
  }
  return { lines: new TextDecoder().decode(searched.subarray(0, stop)).split(/\r?\n/).slice(1), end };
}

function fieldsOf(lines: readonly string[], name: string): NrrdFields {
  const fields = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, field, separator, value] = /^([^:]*):([ =])(.*)$/.exec(line) ?? [];
    // key:=value pairs are the writer's own notes (3D Slicer's segment names, patient names): never looked at
    if (separator === '=') continue;
    if (field === undefined && index === lines.length - 1) continue; // cut; whether that matters is seen later
    if (field === undefined) refuse('MALFORMED', `${name}: a line of its NRRD header is no field`);
    const key = field.toLowerCase().replaceAll(' ', '');
    if (fields.has(key)) refuse('MALFORMED', `${name}: its NRRD header has the field ${quoted(field)} twice`);
    if (line.length > MAX_TEXT_FIELD)
      refuse('MALFORMED', `${name}: its NRRD field ${quoted(field)} is too long`);
    fields.set(key, value!.trim());
  }
  return fields;
}

/** The three axes of the volume; others must have size 1 and are dropped. */
function spatialAxesOf(fields: NrrdFields, sizes: readonly number[], name: string): Vec3 {
  const kinds = fields.get('kinds')?.split(/\s+/);
  const directions = fields.get('spacedirections');
  const vectors = directions === undefined ? undefined : directions.match(/none|\([^)]*\)/g);
  for (const [field, words] of [
    ['kinds', kinds],
    ['space directions', vectors],
  ] as const) {
    if (words !== undefined && words?.length !== sizes.length) {
      refuse('MALFORMED', `${name} has ${words?.length ?? 0} ${field} for ${sizes.length} dimensions`);
    }
  }
  let axes = [...sizes.keys()].filter(
    (axis) =>
      vectors?.[axis] !== 'none' && (kinds === undefined || SPATIAL_KINDS.has(kinds[axis]!.toLowerCase())),
  );
  // without a word about it, a fourth axis holds time points or channels
  if (axes.length > 3 && axes.slice(3).every((axis) => sizes[axis] === 1)) axes = axes.slice(0, 3);
  const others = sizes.filter((_, axis) => !axes.includes(axis));
  if (axes.length !== 3 || others.some((n) => n > 1)) {
    refuse(
      'UNSUPPORTED',
      `${name} has ${axes.length} axes in space and size ${sizes.join(' x ')}: three in space are read; write each time point or channel to a file of its own`,
    );
  }
  return axes as unknown as Vec3;
}
