import { voxelCount, wholeRegion } from './block.js';
import { bsplineCoefficients } from './bspline-coefficients.js';
import { gaussianSmooth } from './gaussian.js';
import {
  planResample,
  type ResampleOptions,
  type ResamplePlan,
  type ResampleTarget,
} from './resample-plan.js';
import { resampleRegion, targetArray } from './resample-region.js';
import type { Volume, VoxelArray } from './types.js';

/**
 * The volume on another grid.
 *
 * `nearest` (for masks) keeps the voxel type; `linear` and `bspline` (cubic, with prefilter, mirror boundary, as
 * ITK's BSplineInterpolateImageFunction) give Float32Array (Float64Array from one). Target voxels whose centre lies
 * outside the source's voxels get `fill`. `{ spacing }` keeps that exact spacing and centres ceil(size * old / new)
 * voxels on the old region (IBSI reference manual, section 2.4): each side may reach half a voxel beyond it, where
 * edge values go on. Results equal SimpleITK's to float32 rounding.
 *
 * `antiAlias` first blurs the source along each axis that the target samples more coarsely, by a Gaussian of standard
 * deviation (factor - 1) / 2 source voxels, factor = source voxels that a target voxel spans along that axis (the
 * target's over the source's spacing, where the axes run alike): the rule of skimage.transform.resize.
 * @throws VolumeError INVALID_VOLUME, INVALID_ARGUMENT, TOO_LARGE
 * @example
 * const isotropic = resample(ct, { spacing: [1, 1, 1] }, { interpolation: 'linear' });
 * const onCt = resample(mask, { like: ct }, { interpolation: 'nearest' });
 * const coarse = resample(ct, { spacing: [4, 4, 4] }, { interpolation: 'linear', antiAlias: true });
 */
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  target: ResampleTarget,
  options: ResampleOptions & { interpolation: 'nearest' },
): Volume<T>;
export function resample(volume: Volume, target: ResampleTarget, options?: ResampleOptions): Volume;
export function resample(volume: Volume, target: ResampleTarget, options: ResampleOptions = {}): Volume {
  const plan = planResample(volume, target, options);
  return { data: resampleByPlan(volume.data, plan), ...plan.grid };
}

/** The target's voxels from all of the source's. */
export function resampleByPlan(voxels: VoxelArray, plan: ResamplePlan): VoxelArray {
  const size = plan.sourceSize;
  const whole = wholeRegion(plan.grid);
  const data = new (targetArray(voxels, plan))(voxelCount(whole));
  if (plan.fill !== 0) data.fill(plan.fill);
  const smooth = plan.sigma.some((s) => s > 0) ? gaussianSmooth(voxels, size, plan.sigma) : voxels;
  const source = plan.interpolation === 'bspline' ? bsplineCoefficients(smooth, size) : smooth;
  resampleRegion({ data: source, ...wholeRegion({ size }) }, { data, ...whole }, whole, plan);
  return data;
}
