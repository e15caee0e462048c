import type { Block, Region } from './block.js';
import { resampleInt16 } from './linear-kernel.js';
import { resampleAffine } from './resample-affine.js';
import { type AllTaps, copyNearest, resampleAligned } from './resample-aligned.js';
import { type ResamplePlan, regionTaps } from './resample-plan.js';
import type { VoxelArray } from './types.js';

/** Rows of the target made at a time: the planes that are kept along z then stay in the cache. */
const BAND_ROWS = 32;

/** Computes the target voxels of a region; `source` holds (coefficients of) every voxel that counts there. */
export function resampleRegion(source: Block, target: Block, region: Region, plan: ResamplePlan): void {
  if (!plan.aligned) {
    resampleAffine(source, target, region, plan);
    return;
  }
  const last = region.start[1] + region.size[1];
  for (let row = region.start[1]; row < last; row += BAND_ROWS) {
    const band: Region = {
      start: [region.start[0], row, region.start[2]],
      size: [region.size[0], Math.min(BAND_ROWS, last - row), region.size[2]],
    };
    const taps = regionTaps(plan, band);
    if (plan.interpolation === 'nearest') copyNearest(source, target, band, taps);
    else if (!inKernel(source, target, band, taps)) {
      resampleAligned(source, target as Block<Float32Array | Float64Array>, band, taps);
    }
  }
}

function inKernel({ data, ...at }: Block, target: Block, region: Region, taps: AllTaps): boolean {
  if (taps[0].taps !== 2 || !(data instanceof Int16Array) || !(target.data instanceof Float32Array))
    return false;
  return resampleInt16({ data, ...at }, target as Block<Float32Array>, region, taps);
}

/** Constructor of one of the voxel types. */
export type VoxelArrayType = {
  new (length: number): VoxelArray;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): VoxelArray;
  readonly BYTES_PER_ELEMENT: number;
};

/** The voxel type that resampling gives: the source's for 'nearest', else floating point. */
export function targetArray(source: VoxelArray, plan: ResamplePlan): VoxelArrayType {
  if (plan.interpolation === 'nearest') {
    return source.constructor as VoxelArrayType;
  }
  return source instanceof Float64Array ? Float64Array : Float32Array;
}
