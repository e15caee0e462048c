import type { Grid, Vec3 } from '@onco-response/volume';
import { cross, type DicomSlice, directionOf, dot } from './dicom-slice.js';
import { evenGrid, type OnUnevenSpacing, type PlaneMix } from './even-spacing.js';
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

/** Positions written out in one message. */
const MAX_POSITIONS = 20;

/** Slices in order, and the grid of the volume they make. */
export interface SliceStack {
  readonly slices: readonly DicomSlice[];
  readonly grid: Grid;
  /** How the grid's planes come from the slices, where they are not the slices themselves. */
  readonly planes?: readonly PlaneMix[];
  readonly warnings: readonly string[];
}

/**
 * Sorts planes along row x column and checks that they form one regular grid. Nothing is repaired unasked: a gap, a
 * double slice, a tilted gantry or mixed orientations are refused, because averaging them away moves lesions.
 * @param name the folder and series, for messages
 * @throws ImagingError MISSING_SLICES, DUPLICATE_SLICES, GANTRY_TILT, MIXED_ORIENTATION, GRID_MISMATCH
 */
export function stackSlices(
  planes: readonly DicomSlice[],
  name: string,
  onUnevenSpacing: OnUnevenSpacing = 'refuse',
): SliceStack {
  const first = planes[0]!;
  checkAlike(planes, name);
  const normal = cross(first.row, first.column);
  const place = (slice: DicomSlice): number => dot(slice.position, normal);
  const slices = [...planes].sort((a, b) => place(a) - place(b));
  const bottom = slices[0]!;
  const { columns, rows } = first.format;
  const grid = (step: number, count = slices.length): Grid => ({
    size: [columns, rows, count],
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
  refuseDoubled(places, name);
  checkTilt(slices, normal, name);
  const uneven = unevenness(places);
  if (uneven === undefined) {
    return { slices, grid: grid((places.at(-1)! - places[0]!) / (places.length - 1)), warnings: [] };
  }
  const found = `${name}: slices are not evenly spaced; they usually lie ${uneven.usual.toFixed(3)} mm apart, but ${uneven.text}`;
  if (onUnevenSpacing === 'refuse') {
    fail(
      'MISSING_SLICES',
      `${found}. Get the missing slices, or read it with { onUnevenSpacing: 'resample' }`,
    );
  }
  const even = evenGrid(places, uneven.usual, uneven.tolerance);
  if (even === undefined) fail('MISSING_SLICES', `${found}. That is too uneven to resample`);
  const made = even.planes.filter(({ weight }) => weight !== 0 && weight !== 1);
  const positions = listed(made.map(({ place }) => `${place.toFixed(2)} mm`));
  return {
    slices,
    grid: grid(even.step, even.planes.length),
    planes: even.planes,
    warnings: [
      `${found}. Resampled to ${even.planes.length} planes ${even.step.toFixed(3)} mm apart from ${places[0]!.toFixed(2)} mm on; ${made.length} of them are interpolated, at ${positions}`,
    ],
  };
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

function refuseDoubled(places: readonly number[], name: string): void {
  const doubled = places.filter((place, at) => at > 0 && place - places[at - 1]! < SAME_PLACE_MM);
  if (doubled.length === 0) return;
  const positions = listed([...new Set(doubled.map((place) => `${place.toFixed(2)} mm`))]);
  fail(
    'DUPLICATE_SLICES',
    `${name}: ${doubled.length} of ${places.length} slices lie where another one does (at ${positions}); it holds two scans or phases (readDicomPhases), or copies`,
  );
}

/** Where slices are not evenly spaced; undefined where they are. */
function unevenness(
  places: readonly number[],
): { usual: number; tolerance: number; text: string } | undefined {
  const gaps = places.slice(1).map((place, at) => place - places[at]!);
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor((gaps.length - 1) / 2)]!; // of two, the smaller
  const mean = (places.at(-1)! - places[0]!) / gaps.length;
  const tolerance = Math.max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_STEPS * usual);
  if (places.every((place, at) => Math.abs(place - places[0]! - at * mean) <= tolerance)) return undefined;
  const widest = Math.max(...gaps);
  // a slow drift has no gap that stands out: then the widest is named
  const odd = gaps.flatMap((gap, at) => (Math.abs(gap - usual) > tolerance ? [at] : []));
  const text = listed(
    (odd.length > 0 ? odd : [gaps.indexOf(widest)]).map(
      (at) =>
        `slices ${at + 1} and ${at + 2} of ${places.length} ${gaps[at]!.toFixed(3)} mm (from ${places[at]!.toFixed(2)} to ${places[at + 1]!.toFixed(2)} mm)`,
    ),
  );
  return { usual, tolerance, text };
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MAX_POSITIONS;
  return `${texts.slice(0, MAX_POSITIONS).join(', ') || 'none'}${more > 0 ? ` and ${more} more` : ''}`;
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
