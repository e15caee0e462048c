import type { Vec3, VoxelArray } from './types.js';

/** The one pole of the cubic B-spline's prefilter. */
const POLE = Math.sqrt(3) - 2;

/** Terms after which |POLE|^n < 1e-10: the rest of the causal start sum is below float32's precision. */
const HORIZON = 18;

/**
 * Coefficients c of the cubic B-spline that passes through the samples: the recursive prefilter of Unser, Aldroubi
 * and Eden (1993) with mirror boundaries, as in ITK's BSplineDecompositionImageFilter. Axis by axis, in place, in
 * float32; lines along y and z are filtered side by side so that memory is read in order.
 */
export function bsplineCoefficients(samples: VoxelArray, size: Vec3): Float32Array {
  const coefficients = Float32Array.from(samples);
  const [width, height, depth] = size;
  for (let row = 0; row < height * depth; row++) filterLines(coefficients, row * width, width, 1, 1);
  for (let z = 0; z < depth; z++) filterLines(coefficients, z * width * height, height, width, width);
  filterLines(coefficients, 0, depth, width * height, width * height);
  return coefficients;
}

/** Filters `side` neighbouring lines of `length` samples that lie `stride` apart. */
function filterLines(c: Float32Array, start: number, length: number, stride: number, side: number): void {
  if (length === 1) return;
  const gain = (1 - POLE) * (1 - 1 / POLE); // 6
  const last = start + (length - 1) * stride;

  for (let lane = 0; lane < side; lane++) {
    const at = start + lane;
    let sum = c[at]!;
    if (length > HORIZON) {
      for (let n = 1, power = POLE; n < HORIZON; n++, power *= POLE) sum += power * c[at + n * stride]!;
    } else {
      // the exact sum over the mirrored signal of period 2 (length - 1)
      const end = POLE ** (length - 1);
      let [forward, backward] = [POLE, (end * end) / POLE];
      sum += end * c[last + lane]!;
      for (let n = 1; n < length - 1; n++) {
        sum += (forward + backward) * c[at + n * stride]!;
        forward *= POLE;
        backward /= POLE;
      }
      sum /= 1 - end * end;
    }
    c[at] = gain * sum;
  }
  for (let n = 1; n < length; n++) {
    const at = start + n * stride;
    for (let lane = 0; lane < side; lane++)
      c[at + lane] = gain * c[at + lane]! + POLE * c[at + lane - stride]!;
  }
  for (let lane = 0; lane < side; lane++) {
    c[last + lane] = (POLE / (POLE * POLE - 1)) * (c[last + lane]! + POLE * c[last + lane - stride]!);
  }
  for (let n = length - 2; n >= 0; n--) {
    const at = start + n * stride;
    for (let lane = 0; lane < side; lane++) c[at + lane] = POLE * (c[at + lane + stride]! - c[at + lane]!);
  }
}
