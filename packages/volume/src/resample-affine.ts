import { cubicWeights, isInside, mirror, nearestIndex } from './axis-taps.js';
import type { Mat3, Vec3, VoxelArray } from './types.js';

export type Interpolation = 'nearest' | 'linear' | 'bspline';

/**
 * Resampling through any affine map from target to source indices: each target voxel is looked up on its own.
 * For 'bspline', `source` holds B-spline coefficients.
 */
export function resampleAffine(
  source: VoxelArray,
  sourceSize: Vec3,
  target: VoxelArray,
  targetSize: Vec3,
  { matrix: m, offset }: { matrix: Mat3; offset: Vec3 },
  interpolation: Interpolation,
): void {
  const [width, height, depth] = sourceSize;
  const sample =
    interpolation === 'nearest'
      ? (x: number, y: number, z: number): number =>
          source[
            nearestIndex(x, width) + width * (nearestIndex(y, height) + height * nearestIndex(z, depth))
          ]!
      : interpolation === 'linear'
        ? linearSampler(source, sourceSize)
        : cubicSampler(source, sourceSize);
  for (let k = 0, at = 0; k < targetSize[2]; k++) {
    for (let j = 0; j < targetSize[1]; j++) {
      const x0 = offset[0] + m[1] * j + m[2] * k;
      const y0 = offset[1] + m[4] * j + m[5] * k;
      const z0 = offset[2] + m[7] * j + m[8] * k;
      for (let i = 0; i < targetSize[0]; i++, at++) {
        const x = x0 + m[0] * i;
        const y = y0 + m[3] * i;
        const z = z0 + m[6] * i;
        if (isInside(x, width) && isInside(y, height) && isInside(z, depth)) target[at] = sample(x, y, z);
      }
    }
  }
}

type Sampler = (x: number, y: number, z: number) => number;

const clamp = (value: number, highest: number): number => Math.min(Math.max(value, 0), highest);

function linearSampler(source: VoxelArray, [width, height, depth]: Vec3): Sampler {
  return (x, y, z) => {
    x = clamp(x, width - 1);
    y = clamp(y, height - 1);
    z = clamp(z, depth - 1);
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [u, v, w] = [x - i, y - j, z - k];
    // a neighbour of weight 0 is the voxel itself, so that NaN beside it does not count
    const right = u > 0 ? 1 : 0;
    const below = v > 0 ? width : 0;
    const behind = w > 0 ? width * height : 0;
    const at = i + width * (j + height * k);
    const front =
      (1 - v) * ((1 - u) * source[at]! + u * source[at + right]!) +
      v * ((1 - u) * source[at + below]! + u * source[at + below + right]!);
    if (behind === 0) return front;
    const back =
      (1 - v) * ((1 - u) * source[at + behind]! + u * source[at + behind + right]!) +
      v * ((1 - u) * source[at + behind + below]! + u * source[at + behind + below + right]!);
    return (1 - w) * front + w * back;
  };
}

function cubicSampler(source: VoxelArray, [width, height, depth]: Vec3): Sampler {
  const weights = new Float64Array(12);
  const indices = new Int32Array(12);
  return (x, y, z) => {
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    cubicWeights(x - i, weights, 0);
    cubicWeights(y - j, weights, 4);
    cubicWeights(z - k, weights, 8);
    for (let tap = 0; tap < 4; tap++) {
      indices[tap] = mirror(i - 1 + tap, width);
      indices[4 + tap] = width * mirror(j - 1 + tap, height);
      indices[8 + tap] = width * height * mirror(k - 1 + tap, depth);
    }
    let sum = 0;
    for (let c = 8; c < 12; c++) {
      for (let b = 4; b < 8; b++) {
        const at = indices[c]! + indices[b]!;
        let row = 0;
        for (let a = 0; a < 4; a++) row += weights[a]! * source[at + indices[a]!]!;
        sum += weights[c]! * weights[b]! * row;
      }
    }
    return sum;
  };
}
