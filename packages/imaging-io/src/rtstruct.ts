import { type Grid, physicalToIndex, type Vec3 } from '@onco-response/volume';
import type { ReadDicomMaskOptions, ReadMask } from './dicom-seg.js';
import { fail, parseMaskObject, withCodedErrors } from './dicom-seg-object.js';
import { agreedReference, referenced } from './dicom-seg-reference.js';
import { MAX_CROSSINGS } from './limits.js';
import { fillPolygons, type Polygon } from './polygon-fill.js';
import { chooseRoi } from './rtstruct-contours.js';

/** Contours this much nearer to a slice than others of the same slice are drawn in another plane. */
const SAME_PLANE_MM = 0.05;

/** A contour whose points lie farther off its plane is drawn across slices. */
const HALF_A_SLICE = 0.5;

/**
 * Indices are rounded to this: a contour drawn exactly through voxel centres must not be decided by the last bit of a
 * rotation. It moves an edge by at most 5e-5 of a voxel.
 */
const INDEX_STEP = 1e-4;

interface Contour {
  /** Slice index along the drawing axis, fractional. */
  readonly place: number;
  readonly polygon: Polygon;
}

/**
 * Rasterises a region of a DICOM structure set onto the image `like`: a voxel is inside where its centre is, by the
 * even-odd rule over all closed contours of its slice (nested contours are holes, keyholes close). Points are carried
 * into index space, so the image may lie obliquely. The area of a slice is that of the contour moved by half a voxel at
 * worst (an edge that runs between two rows of centres), by 0.1 voxels for round shapes from 20 voxels across: 2 % of a
 * disc of 20, 1 % of one of 40. It is not biased.
 * @throws ImagingError UNSUPPORTED (no `like`), GRID_MISMATCH (other frame of reference, contours across slices or all
 * outside), INVALID_MASK (several regions: give `segment`), EMPTY_MASK, TRUNCATED, MALFORMED, TOO_LARGE
 * @example
 * const gtv = readRtstruct(bytes, 'RS.dcm', { like: ct, segment: 'GTV' });
 */
export function readRtstruct(
  bytes: Uint8Array,
  file: string,
  { like, segment, frameOfReferenceUid, inflate }: ReadDicomMaskOptions = {},
): ReadMask {
  if (like === undefined) {
    fail('UNSUPPORTED', `${file} is a structure set, which has no voxels: give its image as { like }`);
  }
  const object = parseMaskObject(bytes, file, inflate);
  const roi = withCodedErrors(file, () => chooseRoi(object, file, segment));
  const reference = agreedReference(roi.frameOfReferenceUid, { like, frameOfReferenceUid }, file);
  if (roi.contours.length === 0) {
    fail('EMPTY_MASK', `${file}: region ${roi.number} has no closed contour`);
  }
  const { size, spacing, origin, direction } = like;
  const indices = roi.contours.map((points) => indicesOf(points, like));
  const axis = drawingAxis(indices);
  if (axis === undefined) {
    fail('GRID_MISMATCH', `${file}: contours of region ${roi.number} are not drawn in slices of its image`);
  }
  const warnings: string[] = [];
  if (roi.open > 0) warnings.push(`${file}: left out ${roi.open} open contour(s)`);
  const [across, along] = [0, 1, 2].filter((other) => other !== axis) as [number, number];
  const slices = new Map<number, Contour[]>();
  let outside = 0;
  let crossings = 0;
  for (const points of indices) {
    const contour = contourOf(points, axis, across, along);
    const slice = Math.round(contour.place);
    if (slice < 0 || slice >= size[axis]!) {
      outside++;
      continue;
    }
    crossings += rowsCrossed(contour.polygon, size[along]!);
    const others = slices.get(slice);
    if (others) others.push(contour);
    else slices.set(slice, [contour]);
  }
  if (slices.size === 0) {
    fail('GRID_MISMATCH', `${file}: all contours of region ${roi.number} lie outside its image`);
  }
  if (crossings > MAX_CROSSINGS) {
    fail('TOO_LARGE', `${file}: the contours of region ${roi.number} cross ${crossings} rows`);
  }
  if (outside > 0) warnings.push(`${file}: left out ${outside} contour(s) outside the image`);
  const between = Math.max(...slices.keys()) - Math.min(...slices.keys()) + 1 - slices.size;
  if (between > 0) {
    warnings.push(`${file}: ${between} slice(s) between contours have none of their own and stay empty`);
  }
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  const strides = [1, size[0], size[0] * size[1]];
  for (const [slice, contours] of slices) {
    const polygons = nearestPlane(contours, slice, SAME_PLANE_MM / spacing[axis]!);
    const plane = fillPolygons(polygons, size[across]!, size[along]!);
    const start = slice * strides[axis]!;
    for (let row = 0, from = 0; row < size[along]!; row++) {
      for (let column = 0; column < size[across]!; column++) {
        data[start + row * strides[along]! + column * strides[across]!] = plane[from++]!;
      }
    }
  }
  if (!data.includes(1)) {
    fail('EMPTY_MASK', `${file}: no voxel centre of the image lies inside region ${roi.number}`);
  }
  return referenced({ data, size, spacing, origin, direction, warnings }, reference);
}

/** A contour's points as voxel indices: x0, y0, z0, x1, ... */
function indicesOf(points: readonly number[], like: Grid): Float64Array {
  const indices = new Float64Array(points.length);
  for (let at = 0; at < points.length; at += 3) {
    const point: Vec3 = [points[at]!, points[at + 1]!, points[at + 2]!];
    indices.set(physicalToIndex(like, point), at);
  }
  return indices;
}

/** The voxel axis along which every contour is flat; the slice axis where several are. */
function drawingAxis(contours: readonly Float64Array[]): number | undefined {
  return [2, 1, 0].find((axis) =>
    contours.every((points) => {
      let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let at = axis; at < points.length; at += 3) {
        lowest = Math.min(lowest, points[at]!);
        highest = Math.max(highest, points[at]!);
      }
      return highest - lowest <= HALF_A_SLICE;
    }),
  );
}

function contourOf(points: Float64Array, axis: number, across: number, along: number): Contour {
  const polygon = new Float64Array((points.length / 3) * 2);
  const round = (index: number): number => Math.round(index / INDEX_STEP) * INDEX_STEP;
  let place = 0;
  for (let at = 0, to = 0; at < points.length; at += 3) {
    polygon[to++] = round(points[at + across]!);
    polygon[to++] = round(points[at + along]!);
    place += points[at + axis]!;
  }
  return { place: place / (points.length / 3), polygon };
}

/** Contours may be drawn closer than the image's slices: only those of the plane nearest to the slice count for it. */
function nearestPlane(contours: readonly Contour[], slice: number, tolerance: number): Polygon[] {
  const nearest = contours.reduce((best, contour) =>
    Math.abs(contour.place - slice) < Math.abs(best.place - slice) ? contour : best,
  );
  return contours
    .filter(({ place }) => Math.abs(place - nearest.place) <= tolerance)
    .map(({ polygon }) => polygon);
}

function rowsCrossed(polygon: Polygon, height: number): number {
  let crossed = 0;
  for (let at = 1; at < polygon.length; at += 2) {
    const next = polygon[(at + 2) % polygon.length]!;
    crossed += Math.min(height, Math.abs(next - polygon[at]!));
  }
  return crossed;
}
