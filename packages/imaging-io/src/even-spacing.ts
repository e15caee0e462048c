import type { VoxelArray } from '@onco-response/volume';

/** What to do with slices that are missing or not evenly spaced. */
export type OnUnevenSpacing = 'refuse' | 'resample';

/** One plane of an even grid: `(1 - weight) * slice[below] + weight * slice[below + 1]`. */
export interface PlaneMix {
  readonly place: number;
  readonly below: number;
  readonly weight: number;
}

/** More planes than this out of a repair is a wrong position, not a gap (a whole body at 0.5 mm has 4000). */
const MAX_PLANES = 5000;

/**
 * An even grid for slices at ascending places (mm along the normal). Where slices are only missing, that is, every
 * gap is a whole number of usual gaps, the grid keeps every slice as it is and fills the gaps; else its step is the
 * usual (median) gap from the first slice on, and the last plane may lie up to a step short of the last slice.
 * Undefined where the grid would be absurdly large.
 * @param tolerance how far a slice may lie from its plane and still be taken as it is, mm
 */
export function evenGrid(
  places: readonly number[],
  usual: number,
  tolerance: number,
): { step: number; planes: PlaneMix[] } | undefined {
  const [first, last] = [places[0]!, places.at(-1)!];
  if ((last - first) / usual >= MAX_PLANES) return undefined;
  const steps = places.slice(1).map((place, at) => Math.round((place - places[at]!) / usual));
  const total = steps.reduce((sum, count) => sum + count, 0);
  let count = 0;
  const onGrid =
    steps.every((step) => step >= 1) &&
    steps.every((step, at) => {
      count += step;
      return Math.abs(places[at + 1]! - first - (count * (last - first)) / total) <= tolerance;
    });
  const step = onGrid ? (last - first) / total : usual;
  const planes: PlaneMix[] = [];
  let below = 0;
  for (let index = 0; first + index * step <= last + tolerance; index++) {
    const place = first + index * step;
    while (below < places.length - 2 && places[below + 1]! <= place) below++;
    const weight = (place - places[below]!) / (places[below + 1]! - places[below]!);
    const near = places[below]! + (weight < 0.5 ? 0 : 1) * (places[below + 1]! - places[below]!);
    planes.push({ place, below, weight: Math.abs(near - place) <= tolerance ? Math.round(weight) : weight });
  }
  return { step, planes };
}

/** The planes of the even grid, in the type of the voxels read: whole numbers are rounded. */
export function mixPlanes<T extends VoxelArray>(
  data: T,
  planeLength: number,
  planes: readonly PlaneMix[],
): T {
  const mixed = new (data.constructor as new (length: number) => T)(planeLength * planes.length);
  const whole = !(mixed instanceof Float32Array || mixed instanceof Float64Array);
  for (const [index, { below, weight }] of planes.entries()) {
    const [start, low, high] = [index * planeLength, below * planeLength, (below + 1) * planeLength];
    if (weight === 0) mixed.set(data.subarray(low, low + planeLength), start);
    else if (weight === 1) mixed.set(data.subarray(high, high + planeLength), start);
    else {
      for (let at = 0; at < planeLength; at++) {
        const value = data[low + at]! + weight * (data[high + at]! - data[low + at]!);
        mixed[start + at] = whole ? Math.round(value) : value;
      }
    }
  }
  return mixed;
}
