import type { Vec3 } from '@onco-response/volume';
import type { DataSet } from './dicom-dataset.js';
import { fail, itemsOf, type MaskObject, numbersOf, textOf } from './dicom-seg-object.js';
import { cross, dot } from './dicom-slice.js';

/** One frame of a segmentation: one segment (or, in a label map, all) in one plane. */
export interface SegFrame {
  /** The segment it shows; undefined in a label map. */
  readonly segment: number | undefined;
  /** ImagePositionPatient, mm. */
  readonly position: Vec3;
  /** Unit vectors along a row and down a column. */
  readonly row: Vec3;
  readonly column: Vec3;
  /** Distance of neighbouring columns and rows, mm. */
  readonly spacing: readonly [number, number];
  /** SpacingBetweenSlices, else undefined. */
  readonly step: number | undefined;
  readonly thickness: number | undefined;
}

/** What a segmentation object says, pixels still coded. */
export interface Segmentation {
  readonly type: 'BINARY' | 'FRACTIONAL' | 'LABELMAP';
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 1 | 8 | 16;
  readonly segments: readonly { readonly number: number; readonly label: string }[];
  readonly frames: readonly SegFrame[];
  readonly pixels: Uint8Array;
  /** FRACTIONAL: the value that stands for 1. */
  readonly maximum: number;
  /** LABELMAP: the value of pixels outside every segment, where it is said. */
  readonly padding: number | undefined;
  readonly frameOfReferenceUid: string;
}

/** Implicit, explicit and deflated little endian; big endian was retired before label maps came. */
const UNCOMPRESSED = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.1.99']);

/** Bits a pixel of each segmentation type. */
const BITS = { BINARY: [1], FRACTIONAL: [8], LABELMAP: [8, 16] } as const;

const ORIENTATION_TOLERANCE = 1e-3;

/**
 * The segments and frames of a DICOM segmentation (PS3.3 A.51, C.8.20).
 * @throws ImagingError TRUNCATED, MALFORMED, UNSUPPORTED
 */
export function segmentationOf({ data, transferSyntax }: MaskObject, file: string): Segmentation {
  const element = data.elements.x7fe00010;
  if (element === undefined) fail('TRUNCATED', `${file} ends before its pixels: copy or export it again`);
  if (!UNCOMPRESSED.has(transferSyntax)) {
    fail(
      'UNSUPPORTED',
      `${file} is a compressed or big-endian segmentation: convert it first (for example gdcmconv --raw)`,
    );
  }
  const type = data.string('x00620001');
  if (type !== 'BINARY' && type !== 'FRACTIONAL' && type !== 'LABELMAP') {
    fail('UNSUPPORTED', `${file} has no SegmentationType BINARY, FRACTIONAL or LABELMAP`);
  }
  const rows = data.uint16('x00280010');
  const columns = data.uint16('x00280011');
  if (!rows || !columns) fail('MALFORMED', `${file} has pixels but no size (Rows, Columns)`);
  const bitsAllocated = data.uint16('x00280100') ?? 0;
  if (!(BITS[type] as readonly number[]).includes(bitsAllocated) || (data.uint16('x00280002') ?? 1) !== 1) {
    fail('UNSUPPORTED', `${file} is a ${type} segmentation with ${bitsAllocated} bits a pixel`);
  }
  const frames = framesOf(data, type, file);
  const length = Math.ceil((frames.length * rows * columns * bitsAllocated) / 8);
  const held = Math.min(element.length, data.byteArray.length - element.dataOffset);
  if (held < length) fail('TRUNCATED', `${file} ends inside its pixels: copy or export it again`);
  // frames that each start on a byte of their own look like this; reading on would shear the mask
  if (bitsAllocated === 1 && frames.length > 1 && element.length > length + 1) {
    fail('MALFORMED', `${file} has ${element.length} bytes of pixels where its frames fill ${length}`);
  }
  const maximum = data.uint16('x0062000e') ?? 255;
  if (maximum < 1) fail('MALFORMED', `${file} has MaximumFractionalValue ${maximum}`);
  return {
    type,
    rows,
    columns,
    bitsAllocated: bitsAllocated as 1 | 8 | 16,
    segments: segmentsOf(data, file),
    frames,
    pixels: data.byteArray.subarray(element.dataOffset, element.dataOffset + length),
    maximum,
    padding: data.uint16('x00280120'),
    frameOfReferenceUid: data.string('x00200052') ?? '',
  };
}

function segmentsOf(data: DataSet, file: string): { number: number; label: string }[] {
  const segments = itemsOf(data, 'x00620002').map((item) => ({
    number: item.uint16('x00620004') ?? -1,
    label: textOf(item, 'x00620005', data.string('x00080005')),
  }));
  const numbers = new Set(segments.map(({ number }) => number));
  if (segments.length === 0 || numbers.size < segments.length || numbers.has(-1)) {
    fail('MALFORMED', `${file} does not describe its segments by different numbers (SegmentSequence)`);
  }
  return segments;
}

function framesOf(data: DataSet, type: Segmentation['type'], file: string): SegFrame[] {
  const groups = itemsOf(data, 'x52009230');
  const shared = itemsOf(data, 'x52009229')[0];
  const count = Number(data.string('x00280008') ?? 1);
  if (groups.length === 0 || groups.length !== count) {
    fail('MALFORMED', `${file} has NumberOfFrames ${count} but describes ${groups.length} frames`);
  }
  return groups.map((group) => {
    /** The item of a functional group: the frame's own, else the shared one. */
    const macro = (sequence: string): DataSet | undefined =>
      itemsOf(group, sequence)[0] ?? itemsOf(shared, sequence)[0];
    const segment = macro('x0062000a')?.uint16('x0062000b');
    if (segment === undefined && type !== 'LABELMAP') {
      fail('MALFORMED', `${file} has a frame that does not say its segment (ReferencedSegmentNumber)`);
    }
    const measures = macro('x00289110');
    return {
      segment: type === 'LABELMAP' ? undefined : segment,
      ...planeOf(
        numbersOf(macro('x00209113'), 'x00200032'),
        numbersOf(macro('x00209116'), 'x00200037'),
        numbersOf(measures, 'x00280030'),
        file,
      ),
      step: numbersOf(measures, 'x00180088')?.[0],
      thickness: numbersOf(measures, 'x00180050')?.[0],
    };
  });
}

function planeOf(
  position: number[] | undefined,
  orientation: number[] | undefined,
  spacing: number[] | undefined,
  file: string,
): Pick<SegFrame, 'position' | 'row' | 'column' | 'spacing'> {
  if (!complete(position, 3) || !complete(orientation, 6) || !complete(spacing, 2)) {
    fail('UNSUPPORTED', `${file} does not say where its frames lie (position, orientation, pixel spacing)`);
  }
  const row = orientation.slice(0, 3) as unknown as Vec3;
  const column = orientation.slice(3) as unknown as Vec3;
  const normal = cross(row, column);
  if (
    Math.abs(dot(row, row) - 1) > ORIENTATION_TOLERANCE ||
    Math.abs(dot(normal, normal) - 1) > ORIENTATION_TOLERANCE
  ) {
    fail('MALFORMED', `${file} has rows and columns that are not perpendicular unit vectors`);
  }
  const [betweenRows, betweenColumns] = spacing as [number, number]; // PixelSpacing is [row, column]
  if (!(betweenRows > 0 && betweenColumns > 0)) {
    fail('MALFORMED', `${file} has PixelSpacing ${spacing.join(', ')}`);
  }
  return { position: position as unknown as Vec3, row, column, spacing: [betweenColumns, betweenRows] };
}

function complete(values: number[] | undefined, count: number): values is number[] {
  return values !== undefined && values.length === count && values.every(Number.isFinite);
}
