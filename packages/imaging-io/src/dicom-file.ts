import type { Vec3 } from '@onco-response/volume';
import type { SourceFile } from './byte-source.js';
import type { DataSet } from './dicom-dataset.js';
import { type DicomHeader, PIXEL_DATA } from './dicom-header.js';
import {
  cross,
  type DicomFile,
  type DicomSlice,
  dot,
  type PixelFormat,
  type SliceTiming,
} from './dicom-slice.js';
import { beginsLikeProgram } from './dicom-start.js';
import { momentOf, momentOfDateTime } from './dicom-time.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import { MAX_FRAMES } from './limits.js';
import { readPetHeader } from './pet-header.js';
import { shownDescription } from './series-description.js';
import { compressionOf, EXPLICIT_BIG_ENDIAN, shownUid } from './transfer-syntax.js';

const DICOMDIR_CLASS = '1.2.840.10008.1.3.10';
const SEGMENTATION_CLASSES = new Set(['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7']);

/**
 * Images of which only the head is left are lost slices, not other files: CT, MR, PET, plain and enhanced. So is what does
 * not even say its class.
 */
const IMAGE_CLASSES = new Set(
  ['2', '2.1', '2.2', '4', '4.1', '4.4', '128', '128.1', '130'].map(
    (end) => `1.2.840.10008.5.1.4.1.1.${end}`,
  ),
);

/** Cosine to which row and column have to be perpendicular, and their lengths 1. */
const ORIENTATION_TOLERANCE = 1e-3;

/**
 * What the header of a DICOM file says: its planes with their geometry and where their pixels lie. Undefined for
 * objects that are no images (DICOMDIR, reports, structure sets, segmentations).
 * @throws ImagingError MALFORMED
 */
export function describeDicomFile(header: DicomHeader, source: SourceFile): DicomFile | undefined {
  const { data, transferSyntax } = header;
  const file = source.name;
  const sopClass = data.string('x00020002') ?? data.string('x00080016') ?? '';
  if (sopClass === DICOMDIR_CLASS || SEGMENTATION_CLASSES.has(sopClass)) return undefined;
  const rows = data.uint16('x00280010');
  const columns = data.uint16('x00280011');
  const says = rows !== undefined || columns !== undefined || data.elements[PIXEL_DATA] !== undefined;
  if (!says && sopClass !== '' && !IMAGE_CLASSES.has(sopClass)) return undefined;
  const identity = {
    file,
    source,
    seriesUid: data.string('x0020000e') ?? '',
    modality: data.string('x00080060') ?? '',
    description: data.string('x0008103e') ?? '',
    shownDescription: shownDescription(data),
    frameOfReferenceUid: data.string('x00200052') ?? '',
    isLocalizer: (data.string('x00080008') ?? '').toUpperCase().split('\\').includes('LOCALIZER'),
    transferSyntax,
    storage: storageOf(transferSyntax),
    program: beginsLikeProgram(data.byteArray),
    pet: data.string('x00080060') === 'PT' ? readPetHeader(data) : undefined,
  };
  try {
    return { ...identity, ...imageOf(header, { rows, columns }, file) };
  } catch (error) {
    // a file of another series beside the wanted one may be of any kind: its problem counts if its series is chosen
    const lost = ImagingError.isInstance(error) && error.code === 'TRUNCATED' && identity.seriesUid === '';
    if (!ImagingError.isInstance(error) || lost) throw error; // a slice of no series could be one of the wanted
    return { ...identity, pixels: { offset: 0, length: 0 }, slices: [], problem: error };
  }
}

function storageOf(transferSyntax: string): DicomFile['storage'] {
  const compression = compressionOf(transferSyntax);
  return compression === 'none' ? 'native' : compression === 'deflated' ? 'deflated' : 'encapsulated';
}

/** The planes, where they are grey values that slope and intercept turn into voxels. */
function imageOf(
  { data, transferSyntax, size, added }: DicomHeader,
  { rows, columns }: { rows: number | undefined; columns: number | undefined },
  file: string,
): Pick<DicomFile, 'pixels' | 'slices'> {
  const pixels = data.elements[PIXEL_DATA];
  if (pixels === undefined) fail('TRUNCATED', `${file} ends before its pixels: copy or export it again`);
  if (!rows || !columns) fail('MALFORMED', `${file} has pixels but no size (Rows, Columns)`);
  const photometric = data.string('x00280004') ?? 'MONOCHROME2';
  if (!photometric.startsWith('MONOCHROME') || (data.uint16('x00280002') ?? 1) !== 1) {
    fail('UNSUPPORTED', `${file} is a colour image; grey values are read`);
  }
  if (data.elements.x00283000 !== undefined) {
    fail('UNSUPPORTED', `${file} has a modality look-up table; slope and intercept are read`);
  }
  if (compressionOf(transferSyntax) === undefined) {
    fail('UNSUPPORTED', `${file} is compressed in a way that is not read (${shownUid(transferSyntax)})`);
  }
  const format = pixelFormat(data, rows, columns, transferSyntax !== EXPLICIT_BIG_ENDIAN, file);
  const frames = Number(data.string('x00280008') ?? 1);
  if (!(Number.isInteger(frames) && frames >= 1)) fail('MALFORMED', `${file} has NumberOfFrames ${frames}`);
  if (frames > MAX_FRAMES) fail('TOO_LARGE', `${file} has more than ${MAX_FRAMES} frames`);
  const encapsulated = storageOf(transferSyntax) === 'encapsulated';
  const length = (frames * rows * columns * format.bitsAllocated) / 8;
  if (!encapsulated && (pixels.length < length || pixels.dataOffset + length > size)) {
    fail('TRUNCATED', `${file} ends inside its pixels: copy or export it again`);
  }
  return {
    // how far fragments reach is only known when their heads are read
    pixels: { offset: pixels.dataOffset - added, length: encapsulated ? 0 : length },
    slices: Array.from({ length: frames }, (_, frame) => ({
      file,
      format,
      frame,
      ...planeOf(data, frame, file),
    })),
  };
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

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
