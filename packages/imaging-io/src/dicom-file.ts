import type { Vec3 } from '@onco-response/volume';
import dicomParser, { type DataSet, type Element } from 'dicom-parser';
import { inflaterOf } from './dicom-inflater.js';
import {
  cross,
  type DicomFile,
  type DicomSlice,
  dot,
  type PixelFormat,
  type SliceTiming,
} from './dicom-slice.js';
import { momentOf, momentOfDateTime } from './dicom-time.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { readPetHeader } from './pet-header.js';
import { shownDescription } from './series-description.js';

/** Transfer syntaxes whose pixels lie uncompressed in the file. */
const NATIVE = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2']);
const DEFLATED = '1.2.840.10008.1.2.1.99';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';

const DICOMDIR_CLASS = '1.2.840.10008.1.3.10';
const SEGMENTATION_CLASSES = new Set(['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7']);

const PIXEL_DATA = 'x7fe00010';

/** Cosine to which row and column have to be perpendicular, and their lengths 1. */
const ORIENTATION_TOLERANCE = 1e-3;

/** True where the bytes carry the DICOM mark after the 128-byte preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length >= 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
}

/**
 * Reads the header of one DICOM file: its planes with their geometry and where their pixels lie. Undefined for
 * objects that are no images (DICOMDIR, reports, structure sets, segmentations).
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED
 */
export function parseDicomFile(
  bytes: Uint8Array,
  file: string,
  inflate?: (deflated: Uint8Array) => Uint8Array,
): DicomFile | undefined {
  const data = parseHeader(bytes, file, inflate);
  const sopClass = data.string('x00020002') ?? data.string('x00080016') ?? '';
  if (sopClass === DICOMDIR_CLASS || SEGMENTATION_CLASSES.has(sopClass)) return undefined;
  const rows = data.uint16('x00280010');
  const columns = data.uint16('x00280011');
  const pixels = data.elements[PIXEL_DATA];
  if (rows === undefined && columns === undefined && pixels === undefined) return undefined;
  const identity = {
    file,
    seriesUid: data.string('x0020000e') ?? '',
    modality: data.string('x00080060') ?? '',
    description: data.string('x0008103e') ?? '',
    shownDescription: shownDescription(data),
    frameOfReferenceUid: data.string('x00200052') ?? '',
    isLocalizer: (data.string('x00080008') ?? '').toUpperCase().split('\\').includes('LOCALIZER'),
    compressed: !NATIVE.has(transferSyntaxOf(data)),
    inverted: data.string('x00280004') === 'MONOCHROME1',
    pet: data.string('x00080060') === 'PT' ? readPetHeader(data) : undefined,
  };
  try {
    return { ...identity, slices: slicesOf(data, bytes, { rows, columns }, pixels, file) };
  } catch (error) {
    // a file of another series beside the wanted one may be of any kind: its problem counts if its series is chosen
    if (ImagingError.isInstance(error)) return { ...identity, slices: [], problem: error };
    throw error;
  }
}

function transferSyntaxOf(data: DataSet): string {
  return data.string('x00020010') ?? '1.2.840.10008.1.2';
}

function slicesOf(
  data: DataSet,
  bytes: Uint8Array,
  { rows, columns }: { rows: number | undefined; columns: number | undefined },
  pixels: Element | undefined,
  file: string,
): DicomSlice[] {
  if (pixels === undefined) fail('TRUNCATED', `${file} ends before its pixels: copy or export it again`);
  if (!rows || !columns) fail('MALFORMED', `${file} has pixels but no size (Rows, Columns)`);
  const photometric = data.string('x00280004') ?? 'MONOCHROME2';
  if (!photometric.startsWith('MONOCHROME') || (data.uint16('x00280002') ?? 1) !== 1) {
    fail('UNSUPPORTED', `${file} is a colour image (${photometric}); grey values are read`);
  }
  if (data.elements.x00283000 !== undefined) {
    fail('UNSUPPORTED', `${file} has a modality look-up table; slope and intercept are read`);
  }
  const transferSyntax = transferSyntaxOf(data);
  const native = NATIVE.has(transferSyntax);
  const format = pixelFormat(data, rows, columns, transferSyntax !== BIG_ENDIAN, file);
  const frames = Number(data.string('x00280008') ?? 1);
  if (!(Number.isInteger(frames) && frames >= 1)) fail('MALFORMED', `${file} has NumberOfFrames ${frames}`);
  if (frames > 1 && !native) {
    fail(
      'UNSUPPORTED',
      `${file} is a compressed multi-frame image: decompress it first (for example gdcmconv --raw)`,
    );
  }
  const frameBytes = (rows * columns * format.bitsAllocated) / 8;
  if (!native && transferSyntax !== DEFLATED) checkFragments(bytes, pixels.dataOffset, file);
  else if (
    pixels.length < frames * frameBytes ||
    pixels.dataOffset + frames * frameBytes > data.byteArray.length
  ) {
    fail('TRUNCATED', `${file} ends inside its pixels: copy or export it again`);
  }
  return Array.from({ length: frames }, (_, frame) => ({
    file,
    format,
    pixelOffset: native ? pixels.dataOffset + frame * frameBytes : -1,
    ...planeOf(data, frame, file),
  }));
}

function parseHeader(
  bytes: Uint8Array,
  file: string,
  inflate?: (deflated: Uint8Array) => Uint8Array,
): DataSet {
  try {
    return dicomParser.parseDicom(bytes, { untilTag: PIXEL_DATA, inflater: inflaterOf(file, inflate) } as {
      untilTag: string;
    });
  } catch (error) {
    if (ImagingError.isInstance(error)) throw error;
    // dicom-parser throws strings and { exception } objects
    const reason = String((error as { exception?: unknown } | null)?.exception ?? error);
    const cut = /overrun|past the end|past end|eof/i.test(reason);
    return fail(
      cut ? 'TRUNCATED' : 'MALFORMED',
      `${file} ${cut ? 'ends inside its DICOM header: copy or export it again' : 'has a damaged DICOM header'}`,
    );
  }
}

function pixelFormat(
  data: DataSet,
  rows: number,
  columns: number,
  littleEndian: boolean,
  file: string,
): PixelFormat {
  const bitsAllocated = data.uint16('x00280100') ?? 16;
  const bitsStored = data.uint16('x00280101') ?? bitsAllocated;
  const highBit = data.uint16('x00280102') ?? bitsStored - 1;
  if (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) {
    fail('UNSUPPORTED', `${file} has ${bitsAllocated} bits a pixel; 8, 16 and 32 are read`);
  }
  if (bitsStored < 1 || highBit + 1 < bitsStored || highBit >= bitsAllocated) {
    fail('MALFORMED', `${file} stores ${bitsStored} bits up to bit ${highBit} in ${bitsAllocated}`);
  }
  return {
    rows,
    columns,
    bitsAllocated,
    bitsStored,
    highBit,
    signed: data.uint16('x00280103') === 1,
    littleEndian,
  };
}

type Plane = Pick<
  DicomSlice,
  | 'slope'
  | 'intercept'
  | 'position'
  | 'row'
  | 'column'
  | 'spacing'
  | 'thickness'
  | 'sliceThickness'
  | 'timing'
>;

/** A plane's geometry and scaling: in enhanced files from its own functional groups, else those shared, else the file. */
function planeOf(data: DataSet, frame: number, file: string): Plane {
  const groups = [
    data.elements.x52009230?.items?.[frame]?.dataSet,
    data.elements.x52009229?.items?.[0]?.dataSet,
  ];
  const numbers = (sequence: string, tag: string): number[] | undefined => {
    for (const source of [...groups.map((g) => g?.elements[sequence]?.items?.[0]?.dataSet), data]) {
      const text = source?.string(tag);
      if (text !== undefined && text !== '') return text.split('\\').map(Number);
    }
    return undefined;
  };
  const position = numbers('x00209113', 'x00200032');
  const orientation = numbers('x00209116', 'x00200037');
  const spacing = numbers('x00289110', 'x00280030');
  if (!complete(position, 3) || !complete(orientation, 6) || !complete(spacing, 2)) {
    fail('UNSUPPORTED', `${file} does not say where its pixels lie (position, orientation, pixel spacing)`);
  }
  const [position3, row, column] = [
    position,
    orientation.slice(0, 3),
    orientation.slice(3),
  ] as unknown as Vec3[];
  const [betweenRows, betweenColumns] = spacing as [number, number]; // PixelSpacing is [row, column]
  const normal = cross(row!, column!);
  if (
    Math.abs(dot(row!, row!) - 1) > ORIENTATION_TOLERANCE ||
    Math.abs(dot(normal, normal) - 1) > ORIENTATION_TOLERANCE
  ) {
    fail('MALFORMED', `${file} has rows and columns that are not perpendicular unit vectors`);
  }
  if (!(betweenRows > 0 && betweenColumns > 0))
    fail('MALFORMED', `${file} has PixelSpacing ${spacing.join(', ')}`);
  const slope = numbers('x00289145', 'x00281053')?.[0] ?? 1;
  const intercept = numbers('x00289145', 'x00281052')?.[0] ?? 0;
  if (!Number.isFinite(slope) || !Number.isFinite(intercept) || slope === 0) {
    fail('MALFORMED', `${file} has rescale slope ${slope} and intercept ${intercept}`);
  }
  const sliceThickness = numbers('x00289110', 'x00180050')?.[0];
  return {
    position: position3!,
    row: row!,
    column: column!,
    spacing: [betweenColumns, betweenRows],
    slope,
    intercept,
    thickness: numbers('x00289110', 'x00180088')?.[0] || sliceThickness,
    sliceThickness,
    timing: timingOf(data, groups[0]?.elements.x00209111?.items?.[0]?.dataSet),
  };
}

/** When a plane was taken: in enhanced files its own frame content says so. */
function timingOf(data: DataSet, frame: DataSet | undefined): SliceTiming {
  const number = (tag: string): number | undefined => {
    const value = Number.parseFloat(data.string(tag) ?? '');
    return Number.isFinite(value) ? value : undefined;
  };
  const trigger = number('x00181060'); // ms
  return {
    temporalPosition: frame?.uint32('x00209128') ?? number('x00200100'),
    trigger: trigger === undefined ? undefined : trigger / 1000,
    acquisition:
      momentOfDateTime(frame?.string('x00189074')) ??
      momentOf(data.string('x00080022'), data.string('x00080032')) ??
      momentOfDateTime(data.string('x0008002a')),
    content: momentOf(data.string('x00080023'), data.string('x00080033')),
  };
}

function complete(values: number[] | undefined, count: number): values is number[] {
  return values !== undefined && values.length === count && values.every(Number.isFinite);
}

/** Compressed pixels are items up to a delimiter: decoders fill up what is missing without a word. */
function checkFragments(bytes: Uint8Array, start: number, file: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at + 8 <= bytes.length; ) {
    const element = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== 0xfffe) fail('CORRUPT', `${file} has damaged compressed pixels`);
    if (element === 0xe0dd) return;
    at += 8 + view.getUint32(at + 4, true);
  }
  fail('TRUNCATED', `${file} ends inside its compressed pixels: copy or export it again`);
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
