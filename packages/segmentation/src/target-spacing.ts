import type { Shape3 } from './array-shape.js';
import { quantile } from './weighted-quantile.js';

/** Of spacing and of voxels along the thick axis against the others: nnU-Net's ANISO_THRESHOLD. */
const ANISOTROPY_THRESHOLD = 3;

/**
 * The spacing that images are resampled to: the median along each axis; where one axis is more than 3 times as thick and
 * has less than a third of the voxels, along it the 10th percentile, so that images with thinner slices do not lose them,
 * but no finer than the other axes.
 * @param shapes after cropping
 */
export function targetSpacing(spacings: readonly Shape3[], shapes: readonly Shape3[]): Shape3 {
  const along = (rows: readonly Shape3[], axis: number, share: number): number =>
    quantile(
      rows.map((row) => row[axis]!),
      share,
    );
  const target = [0, 1, 2].map((axis) => along(spacings, axis, 0.5));
  const thick = target.indexOf(Math.max(...target));
  const others = [0, 1, 2].filter((axis) => axis !== thick);
  const widest = Math.max(...others.map((axis) => target[axis]!));
  const fewest = Math.min(...others.map((axis) => along(shapes, axis, 0.5)));
  const isThick = target[thick]! > ANISOTROPY_THRESHOLD * widest;
  const isShort = along(shapes, thick, 0.5) * ANISOTROPY_THRESHOLD < fewest;
  if (isThick && isShort) {
    const thin = along(spacings, thick, 0.1);
    target[thick] = thin < widest ? widest + 1e-5 : thin;
  }
  return target as unknown as Shape3;
}
