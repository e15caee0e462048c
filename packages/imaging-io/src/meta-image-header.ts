import { MAX_TEXT_FIELD, MAX_TEXT_HEADER_BYTES, MAX_VOXEL_OFFSET } from './limits.js';
import { checkedSize, type StoredVoxels } from './stored-voxels.js';
import { finiteNumbers, quoted, refuse, wholeNumbers } from './text-header.js';
import type { VoxelType } from './voxel-type.js';

export interface MetaImageHeader extends StoredVoxels {
  readonly fields: ReadonlyMap<string, string>;
}

/** MET_LONG has 4 bytes in a file, whatever the platform that wrote it (MetaIO, metaTypes.h). */
const TYPES = new Map<string, VoxelType>([
  ['MET_CHAR', 'int8'],
  ['MET_UCHAR', 'uint8'],
  ['MET_SHORT', 'int16'],
  ['MET_USHORT', 'uint16'],
  ['MET_INT', 'int32'],
  ['MET_UINT', 'uint32'],
  ['MET_LONG', 'int32'],
  ['MET_ULONG', 'uint32'],
  ['MET_LONG_LONG', 'int64'],
  ['MET_ULONG_LONG', 'uint64'],
  ['MET_FLOAT', 'float32'],
  ['MET_DOUBLE', 'float64'],
]);

/** The last field of every header; voxels follow its line where it says LOCAL. */
const LAST_FIELD = 'ElementDataFile';

/**
 * Parses the header at the start of a .mha or .mhd file.
 * Reference: https://itk.org/Wiki/MetaIO/Documentation
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED, TOO_LARGE
 */
export function parseMetaImageHeader(bytes: Uint8Array, name: string): MetaImageHeader {
  const { fields, end } = fieldsOf(bytes, name);
  const required = (field: string): string =>
    fields.get(field) ?? refuse('MALFORMED', `${name}: its MetaImage header has no ${field}`);
  const objectType = fields.get('ObjectType') ?? 'Image';
  if (objectType !== 'Image') refuse('UNSUPPORTED', `${name} is a MetaIO ${quoted(objectType)}, no image`);
  const sizes = wholeNumbers(required('DimSize'), 'DimSize', name);
  const [dimensions = 0] = wholeNumbers(required('NDims'), 'NDims', name);
  if (sizes.length !== dimensions) {
    refuse('MALFORMED', `${name} has ${sizes.length} sizes for ${dimensions} dimensions`);
  }
  const [channels = 1] = wholeNumbers(
    fields.get('ElementNumberOfChannels') ?? '1',
    'ElementNumberOfChannels',
    name,
  );
  if (dimensions !== 3 || channels !== 1) {
    refuse(
      'UNSUPPORTED',
      `${name} has ${dimensions} dimensions and ${channels} channels: write each time point or channel to a 3D file of its own`,
    );
  }
  const type = TYPES.get(required('ElementType'));
  if (type === undefined)
    refuse('UNSUPPORTED', `${name} has voxels of type ${quoted(required('ElementType'))}`);
  if (!flag(fields, 'BinaryData', true, name))
    refuse('UNSUPPORTED', `${name} has its voxels as text: save it as binary`);
  refuseScaling(fields, name);
  const compressed = flag(fields, 'CompressedData', false, name);
  const dataFile = required(LAST_FIELD);
  const local = /^local$/i.test(dataFile);
  if (/^LIST\b/.test(dataFile) || /%\d*d/.test(dataFile)) {
    refuse('UNSUPPORTED', `${name} has its voxels in several files: save it as one .mha file`);
  }
  return {
    fields,
    size: checkedSize(sizes, name),
    type,
    littleEndian: !(
      flag(fields, 'BinaryDataByteOrderMSB', false, name) || flag(fields, 'ElementByteOrderMSB', false, name)
    ),
    compressed,
    compressedBytes: compressed ? compressedSize(fields.get('CompressedDataSize'), name) : undefined,
    dataFile: local ? undefined : dataFile,
    dataOffset: local ? end : 0,
    lineSkip: 0,
    byteSkip: headerSize(fields.get('HeaderSize'), local || compressed, name),
  };
}

/** HeaderSize: bytes before the voxels of a detached raw file; -1 means that they are its last bytes. */
function headerSize(value: string | undefined, fixed: boolean, name: string): number {
  const size = value === undefined ? 0 : Number(value);
  // MetaIO ignores it where voxels follow the header and cannot apply it to compressed ones
  if (fixed && size <= 0) return 0;
  if (!Number.isInteger(size) || size < -1 || size > MAX_VOXEL_OFFSET || fixed) {
    refuse('MALFORMED', `${name} has HeaderSize ${quoted(value!)}, which does not fit its data`);
  }
  return size;
}

function compressedSize(value: string | undefined, name: string): number | undefined {
  return value === undefined ? undefined : wholeNumbers(value, 'CompressedDataSize', name)[0];
}

function flag(fields: ReadonlyMap<string, string>, field: string, absent: boolean, name: string): boolean {
  const value = fields.get(field);
  if (value === undefined) return absent;
  if (/^(true|1|yes|t|y)$/i.test(value)) return true;
  if (/^(false|0|no|f|n)$/i.test(value)) return false;
  return refuse('MALFORMED', `${name} has ${field} ${quoted(value)}, neither True nor False`);
}

/** The fields ask for scaling, SimpleITK 2.5 reads such files without: which one the writer meant is not certain. */
function refuseScaling(fields: ReadonlyMap<string, string>, name: string): void {
  for (const [field, neutral] of [
    ['ElementToIntensityFunctionSlope', 1],
    ['ElementToIntensityFunctionOffset', 0],
  ] as const) {
    const value = fields.get(field);
    if (value !== undefined && finiteNumbers(value, field, 1, name)[0] !== neutral) {
      refuse(
        'UNSUPPORTED',
        `${name} has ${field} ${quoted(value)}, which tools ignore: save the scaled voxels`,
      );
    }
  }
}

function fieldsOf(bytes: Uint8Array, name: string): { fields: Map<string, string>; end: number } {
  const fields = new Map<string, string>();
  const decoder = new TextDecoder();
  const searched = bytes.subarray(0, MAX_TEXT_HEADER_BYTES);
  for (let start = 0; start < searched.length; ) {
    const newline = searched.indexOf(0x0a, start);
    const stop = newline < 0 ? searched.length : newline;
    const line = decoder.decode(searched.subarray(start, Math.min(stop, start + MAX_TEXT_FIELD + 1)));
    const [, field, value] = /^\s*([A-Za-z]\w*)\s*=(.*)$/s.exec(line) ?? [];
    if (field === undefined && line.trim() !== '') {
      // cut within a field's name
      if (newline < 0 && (fields.size > 0 || 'ObjectType'.startsWith(line.trim()))) break;
      refuse(
        'MALFORMED',
        `${name}: ${fields.size === 0 ? 'it is no MetaImage file' : 'a line of its MetaImage header is no field'}`,
      );
    }
    start = stop + 1;
    if (field === undefined) continue;
    if (line.length > MAX_TEXT_FIELD)
      refuse('MALFORMED', `${name}: its MetaImage field ${quoted(field)} is too long`);
    if (fields.has(field)) refuse('MALFORMED', `${name}: its MetaImage header has ${quoted(field)} twice`);
    fields.set(field, value!.trim());
    if (field !== LAST_FIELD) continue;
    if (newline < 0 && 'local'.startsWith(value!.trim().toLowerCase())) break; // cut within LOCAL
    return { fields, end: start };
  }
  if (bytes.length >= MAX_TEXT_HEADER_BYTES) {
    refuse('MALFORMED', `${name}: its MetaImage header does not end within ${MAX_TEXT_HEADER_BYTES} bytes`);
  }
  return refuse('TRUNCATED', `${name} ends inside its MetaImage header: copy or download it again`);
}
