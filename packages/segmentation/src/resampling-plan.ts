import { roundHalfEven, type Shape3 } from './array-shape.js';
import type { ResamplingOptions } from './plans.js';
import { SegmentationError } from './segmentation-error.js';

/** Spacings further apart than this are resampled along the thick axis apart: nnU-Net's ANISO_THRESHOLD. */
const ANISOTROPY_THRESHOLD = 3;

export type SplineOrder = 0 | 1 | 3;

/** How an array is brought to another shape. */
export interface Resampling {
  readonly from: Shape3;
  readonly to: Shape3;
  /** Of the splines within planes, or of all axes where none is apart. */
  readonly order: SplineOrder;
  /** The axis that is resampled apart, with `orderApart`. */
  readonly apart: 0 | 1 | 2 | undefined;
  readonly orderApart: SplineOrder;
}

/** Voxels along each axis at another spacing, as nnU-Net's `compute_new_shape`. */
export function shapeAtSpacing(shape: Shape3, spacing: Shape3, target: Shape3): Shape3 {
  return shape.map((size, axis) =>
    roundHalfEven((spacing[axis]! / target[axis]!) * size),
  ) as unknown as Shape3;
}

/**
 * nnU-Net's `resample_data_or_seg_to_shape`: where the given or the wanted voxels are more than 3 times as thick along one
 * axis as along another, the planes across it are resampled in 2D and then along it with `order_z`.
 * @throws SegmentationError UNSUPPORTED for another function or another order of splines
 */
export function planResampling(
  from: Shape3,
  to: Shape3,
  spacing: Shape3,
  target: Shape3,
  functionName: string,
  options: ResamplingOptions,
): Resampling {
  if (functionName !== 'resample_data_or_seg_to_shape') {
    unsupported(`resamples with "${functionName}"; resample_data_or_seg_to_shape is known here`);
  }
  const force = options.force_separate_z ?? null;
  const thick =
    force === false
      ? undefined
      : force === true || isAnisotropic(spacing)
        ? thickAxis(spacing)
        : isAnisotropic(target)
          ? thickAxis(target)
          : undefined;
  return {
    from,
    to,
    order: splineOrder(options.order),
    apart: thick,
    orderApart: splineOrder(options.order_z),
  };
}

const isAnisotropic = (spacing: Shape3): boolean =>
  Math.max(...spacing) / Math.min(...spacing) > ANISOTROPY_THRESHOLD;

/** The one axis of the largest spacing; undefined where several share it. */
function thickAxis(spacing: Shape3): 0 | 1 | 2 | undefined {
  const largest = Math.max(...spacing);
  const axes = ([0, 1, 2] as const).filter((axis) => largest / spacing[axis] === 1);
  return axes.length === 1 ? axes[0] : undefined;
}

function splineOrder(order: number): SplineOrder {
  if (order === 0 || order === 1 || order === 3) return order;
  return unsupported(`resamples with splines of order ${order}; 0, 1 and 3 are known here`);
}

function unsupported(what: string): never {
  throw new SegmentationError({ code: 'UNSUPPORTED', message: `This model ${what}.` });
}
