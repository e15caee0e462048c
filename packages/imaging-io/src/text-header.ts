import { isOrthonormal, type Mat3, type Vec3 } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';

/** Refuses a file; for readers of text headers. */
export function refuse(code: ImagingError['code'], message: string): never {
  throw new ImagingError({ code, message });
}

/** What header fields and their values are made of in the two formats; anything else may be a name. */
const WORDS = new Set(
  'array ascii axis big bz2 bzip2 centers char character complex data dimension dimensions directions double encoding endian false file float frame gz gzip hex image int int16 int32 int64 int8 interleaved kinds labels left little ll local long longlong measurement mm cm um m micron none posterior anterior superior inferior origin raw ras lps las right scanner scene short signed sizes space spacings spatial text thicknesses time true tube txt type uchar uint uint16 uint32 uint64 uint8 ulong ulonglong units unsigned ushort vector xyz zlib 3d 3dslicer compresseddata compresseddatasize dimsize elementbyteordermsb elementdatafile elementnumberofchannels elementsize elementspacing elementtype headersize mesh ndims objecttype offset orientation position rotation transformmatrix'.split(
    ' ',
  ),
);

/**
 * Part of a header as a message may show it: numbers too short to be a date, and words that belong to the formats. In a
 * damaged header a patient's name may stand anywhere.
 */
export function quoted(value: string): string {
  const known = (word: string): boolean =>
    /^[-+.\de]*$/i.test(word)
      ? !/\d{6}/.test(word)
      : WORDS.has(word.toLowerCase()) || /^MET_[A-Z_]{3,20}$/.test(word);
  const words = value.split(/[\s,()-]+/);
  if (!words.every(known)) return '(not shown)';
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}

/** Whole positive numbers. @throws ImagingError MALFORMED */
export function wholeNumbers(value: string, field: string, name: string): number[] {
  const words = value.split(/\s+/);
  if (!words.every((word) => /^\+?\d+$/.test(word) && Number(word) > 0)) {
    refuse('MALFORMED', `${name}: its ${field} ${quoted(value)} are no whole positive numbers`);
  }
  return words.map(Number);
}

/** Finite numbers. @throws ImagingError MALFORMED */
export function finiteNumbers(value: string, field: string, count: number, name: string): number[] {
  const numbers = value.split(/[\s,]+/).map((word) => (word === '' ? Number.NaN : Number(word)));
  if (numbers.length !== count || !numbers.every(Number.isFinite)) {
    refuse('MALFORMED', `${name}: its ${field} ${quoted(value)} should be ${count} numbers`);
  }
  return numbers;
}

/**
 * Spacing and direction from three axis vectors (mm, LPS).
 * @throws ImagingError MALFORMED for axes of no length, UNSUPPORTED for sheared ones
 */
export function gridAxes(
  axes: readonly (readonly number[])[],
  name: string,
): { spacing: Vec3; direction: Mat3 } {
  const spacing = axes.map((axis) => Math.hypot(...axis));
  if (!spacing.every((mm) => mm > 0 && Number.isFinite(mm))) {
    refuse('MALFORMED', `${name}: its voxel axes describe no grid in space`);
  }
  // + 0 turns -0 into 0
  const unit = axes.map((axis, at) => axis.map((v) => v / spacing[at]! + 0));
  const direction = [0, 1, 2].flatMap((row) => unit.map((axis) => axis[row]!)) as unknown as Mat3;
  if (!isOrthonormal(direction)) {
    refuse('UNSUPPORTED', `${name} has sheared axes; resample it to perpendicular axes first`);
  }
  return { spacing: spacing as unknown as Vec3, direction };
}
