import type { Mask, Volume, VoxelArray } from '@onco-response/volume';
import { ImagingError } from './imaging-error.js';

/**
 * Refuses voxels that are not finite: one NaN silently turns every later mean into NaN.
 * @throws ImagingError NAN_VOXELS
 */
export function refuseNaN(data: VoxelArray, name: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  let count = 0;
  for (let at = 0; at < data.length; at++) if (!Number.isFinite(data[at]!)) count++;
  if (count === 0) return;
  throw new ImagingError({
    code: 'NAN_VOXELS',
    message: `${name} has ${count} of ${data.length} voxels that are NaN or infinite: replace them, or read it with { allowNaN: true }`,
  });
}

/**
 * A label image as bytes; with `segment`, that label becomes 1 and everything else 0.
 * @throws ImagingError INVALID_MASK where a value is no whole number in 0..255, EMPTY_MASK where `segment` has no voxel
 */
export function maskOf(volume: Volume, name: string, segment?: string | number): Mask {
  const { data, size, spacing, origin, direction } = volume;
  const labels = data instanceof Uint8Array ? data : new Uint8Array(data.length);
  if (labels !== data) {
    for (let at = 0; at < data.length; at++) {
      const value = data[at]!;
      labels[at] = value;
      if (labels[at] === value) continue;
      throw new ImagingError({
        code: 'INVALID_MASK',
        message: `${name} is no mask: it holds ${value}; labels are whole numbers from 0 to 255`,
      });
    }
  }
  const mask = { data: labels, size, spacing, origin, direction };
  return segment === undefined ? mask : { ...mask, data: oneLabel(labels, name, segment) };
}

function oneLabel(labels: Uint8Array, name: string, segment: string | number): Uint8Array {
  const label = typeof segment === 'string' && /^\d+$/.test(segment) ? Number(segment) : segment;
  const found = new Set(labels);
  found.delete(0);
  if (typeof label !== 'number' || !found.has(label)) {
    throw new ImagingError({
      code: 'EMPTY_MASK',
      message: `${name} has no voxel of segment ${JSON.stringify(segment)}; it has the labels ${[...found].sort((a, b) => a - b).join(', ') || 'none'}`,
    });
  }
  return labels.map((value) => (value === label ? 1 : 0));
}
