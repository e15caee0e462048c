import type { Grid, Vec3 } from '@onco-response/volume';
import { cross, type DicomSlice, directionOf, dot } from './dicom-slice.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';

/** Cosines of one series are the same text in every file; this allows for other roundings (0.006 degrees). */
const ORIENTATION_TOLERANCE = 1e-4;

/** Slices nearer than this are the same place. */
const SAME_PLACE_MM = 1e-2;

/** Positions may be rounded to 0.1 mm, so a slice may lie 0.05 mm off; thick slices may be 2 % of a step off. */
const POSITION_TOLERANCE_MM = 0.051;
const POSITION_TOLERANCE_STEPS = 0.02;

/** Tilt of the stack against its slices up to which it counts as rounding (0.1 degrees). */
const TILT_TOLERANCE = Math.tan((0.1 * Math.PI) / 180);

/**
 * Sorts planes along row x column and checks that they form one regular grid. Nothing is repaired: a gap, a double
 * slice, a tilted gantry or mixed orientations are refused, because averaging them away moves lesions.
 * @throws ImagingError MISSING_SLICES, DUPLICATE_SLICES, GANTRY_TILT, MIXED_ORIENTATION, GRID_MISMATCH
 */
export function stackSlices(
  planes: readonly DicomSlice[],
  name: string,
): { slices: DicomSlice[]; grid: Grid; warnings: string[] } {
  const first = planes[0]!;
  checkAlike(planes, name);
  const normal = cross(first.row, first.column);
  const place = (slice: DicomSlice): number => dot(slice.position, normal);
  const slices = [...planes].sort((a, b) => place(a) - place(b));
  const bottom = slices[0]!;
  const { columns, rows } = first.format;
  const grid = (step: number): Grid => ({
    size: [columns, rows, slices.length],
    spacing: [first.spacing[0], first.spacing[1], step],
    origin: bottom.position,
    direction: directionOf(first.row, first.column, normal),
  });
  if (slices.length === 1) {
    const warning = `${name} is a single slice: its thickness stands for the distance between slices`;
    return {
      slices,
      grid: grid(bottom.thickness && bottom.thickness > 0 ? bottom.thickness : 1),
      warnings: [warning],
    };
  }
  const places = slices.map(place);
  checkDistances(places, name);
  checkTilt(slices, normal, name);
  return { slices, grid: grid((places.at(-1)! - places[0]!) / (places.length - 1)), warnings: [] };
}

function checkAlike(planes: readonly DicomSlice[], name: string): void {
  const { row, column, format, spacing } = planes[0]!;
  for (const plane of planes) {
    const turned = [0, 1, 2].some(
      (axis) =>
        Math.abs(plane.row[axis]! - row[axis]!) > ORIENTATION_TOLERANCE ||
        Math.abs(plane.column[axis]! - column[axis]!) > ORIENTATION_TOLERANCE,
    );
    if (turned)
      fail('MIXED_ORIENTATION', `${name}: ${plane.file} is oriented differently from ${planes[0]!.file}`);
    const resized =
      plane.format.rows !== format.rows ||
      plane.format.columns !== format.columns ||
      Math.abs(plane.spacing[0] - spacing[0]) > 1e-4 * spacing[0] ||
      Math.abs(plane.spacing[1] - spacing[1]) > 1e-4 * spacing[1];
    if (resized) {
      fail(
        'GRID_MISMATCH',
        `${name}: ${plane.file} has another size or pixel spacing than ${planes[0]!.file}`,
      );
    }
  }
}

function checkDistances(places: readonly number[], name: string): void {
  const gaps = places.slice(1).map((place, at) => place - places[at]!);
  const doubled = gaps.filter((gap) => gap < SAME_PLACE_MM).length;
  if (doubled > 0) {
    fail(
      'DUPLICATE_SLICES',
      `${name}: ${doubled} of ${places.length} slices lie where another one does; it holds two scans or phases, or copies`,
    );
  }
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
  const mean = (places.at(-1)! - places[0]!) / gaps.length;
  const tolerance = Math.max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_STEPS * usual);
  if (places.every((place, at) => Math.abs(place - places[0]! - at * mean) <= tolerance)) return;
  const widest = Math.max(...gaps);
  const at = gaps.indexOf(widest);
  fail(
    'MISSING_SLICES',
    `${name}: slices are not evenly spaced; they usually lie ${usual.toFixed(3)} mm apart, but slices ${at + 1} and ${at + 2} of ${places.length} lie ${widest.toFixed(3)} mm apart`,
  );
}

/** Each slice has to lie above the first, not beside. */
function checkTilt(slices: readonly DicomSlice[], normal: Vec3, name: string): void {
  const start = slices[0]!.position;
  for (const { position } of slices) {
    const step = position.map((v, axis) => v - start[axis]!) as unknown as Vec3;
    const height = dot(step, normal);
    const aside = Math.hypot(...step.map((v, axis) => v - height * normal[axis]!));
    if (aside <= 2 * POSITION_TOLERANCE_MM + TILT_TOLERANCE * height) continue;
    const degrees = ((Math.atan2(aside, height) * 180) / Math.PI).toFixed(1);
    fail(
      'GANTRY_TILT',
      `${name}: slices are shifted sideways by ${degrees} degrees (gantry tilt): resample the series first`,
    );
  }
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
