/** Pooling and kernels of a U-Net for a patch, with the patch made divisible. */
export interface NetworkTopology {
  /** One a stage, the first without any. */
  readonly strides: readonly (readonly number[])[];
  readonly kernels: readonly (readonly number[])[];
  readonly patch: readonly number[];
  /** What each side of the patch is divisible by. */
  readonly divisor: readonly number[];
}

/** Feature maps of the coarsest stage are no smaller. */
const MIN_EDGE = 4;

/**
 * nnU-Net's `get_pool_and_conv_props`: an axis is halved while the coarsest map keeps 4 voxels along it and its voxels
 * are less than twice as long as the shortest ones; kernels are 1 along an axis until its voxels are within twice the
 * shortest, then 3.
 */
export function networkTopology(
  spacing: readonly number[],
  initialPatch: readonly number[],
): NetworkTopology {
  const dimensions = spacing.length;
  const currentSpacing = [...spacing];
  const size = [...initialPatch];
  const divisor = spacing.map(() => 1);
  const kernel = spacing.map(() => 1);
  const strides = [spacing.map(() => 1)];
  const kernels: number[][] = [];
  for (;;) {
    const large = axesOf(dimensions).filter((axis) => size[axis]! >= 2 * MIN_EDGE);
    if (large.length === 0) break;
    const shortest = Math.min(...large.map((axis) => currentSpacing[axis]!));
    const pooled = large.filter((axis) => currentSpacing[axis]! / shortest < 2);
    const [only] = pooled;
    if (pooled.length === 1 && size[only!]! < 3 * MIN_EDGE) break;
    const finest = Math.min(...currentSpacing);
    for (const axis of axesOf(dimensions)) if (currentSpacing[axis]! / finest < 2) kernel[axis] = 3;
    strides.push(spacing.map((_, axis) => (pooled.includes(axis) ? 2 : 1)));
    kernels.push([...kernel]);
    for (const axis of pooled) {
      divisor[axis]! *= 2;
      currentSpacing[axis]! *= 2;
      size[axis] = Math.ceil(size[axis]! / 2);
    }
  }
  kernels.push(spacing.map(() => 3));
  const patch = initialPatch.map((side, axis) => Math.ceil(side / divisor[axis]!) * divisor[axis]!);
  return { strides, kernels, patch, divisor };
}

const axesOf = (dimensions: number): number[] => Array.from({ length: dimensions }, (_, axis) => axis);
