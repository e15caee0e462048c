import { cubicWeights, isInside, mirror, nearestIndex } from './axis-taps.js';
import { type Block, offsetIn, type Region } from './block.js';
import type { ResamplePlan } from './resample-plan.js';
import type { Vec3 } from './types.js';

/**
 * Resampling of a region through any affine map from target to source indices: each target voxel is looked up on its
 * own. For 'bspline', `source` holds B-spline coefficients.
 */
export function resampleAffine(
  source: Block,
  target: Block,
  { start, size }: Region,
  { matrix: m, offset, sourceSize, interpolation }: ResamplePlan,
): void {
  const [width, height, depth] = sourceSize;
  const sample =
    interpolation === 'nearest'
      ? nearestSampler(source, sourceSize)
      : interpolation === 'linear'
        ? linearSampler(source, sourceSize)
        : cubicSampler(source, sourceSize);
  for (let k = start[2]; k < start[2] + size[2]; k++) {
    for (let j = start[1]; j < start[1] + size[1]; j++) {
      const x0 = offset[0] + m[1] * j + m[2] * k;
      const y0 = offset[1] + m[4] * j + m[5] * k;
      const z0 = offset[2] + m[7] * j + m[8] * k;
      let at = offsetIn(target, start[0], j, k);
      for (let i = start[0]; i < start[0] + size[0]; i++, at++) {
        const x = x0 + m[0] * i;
        const y = y0 + m[3] * i;
        const z = z0 + m[6] * i;
        if (isInside(x, width) && isInside(y, height) && isInside(z, depth))
          target.data[at] = sample(x, y, z);
      }
    }
  }
}

/** The value at a source position; the block holds every voxel that counts there. */
type Sampler = (x: number, y: number, z: number) => number;

const clamp = (value: number, highest: number): number => Math.min(Math.max(value, 0), highest);

function nearestSampler(source: Block, [width, height, depth]: Vec3): Sampler {
  return (x, y, z) =>
    source.data[offsetIn(source, nearestIndex(x, width), nearestIndex(y, height), nearestIndex(z, depth))]!;
}

function linearSampler({ data, start, size }: Block, [width, height, depth]: Vec3): Sampler {
  const [left, top, nearest] = start;
  const [row, plane] = [size[0], size[0] * size[1]];
  return (x, y, z) => {
    x = clamp(x, width - 1);
    y = clamp(y, height - 1);
    z = clamp(z, depth - 1);
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [u, v, w] = [x - i, y - j, z - k];
    // a neighbour of weight 0 is the voxel itself, so that NaN beside it does not count
    const right = u > 0 ? 1 : 0;
    const below = v > 0 ? row : 0;
    const behind = w > 0 ? plane : 0;
    const at = i - left + row * (j - top) + plane * (k - nearest);
    const front =
      (1 - v) * ((1 - u) * data[at]! + u * data[at + right]!) +
      v * ((1 - u) * data[at + below]! + u * data[at + below + right]!);
    if (behind === 0) return front;
    const back =
      (1 - v) * ((1 - u) * data[at + behind]! + u * data[at + behind + right]!) +
      v * ((1 - u) * data[at + behind + below]! + u * data[at + behind + below + right]!);
    return (1 - w) * front + w * back;
  };
}

function cubicSampler({ data, start, size }: Block, [width, height, depth]: Vec3): Sampler {
  const [left, top, nearest] = start;
  const [row, plane] = [size[0], size[0] * size[1]];
  const weights = new Float64Array(12);
  const indices = new Int32Array(12);
  return (x, y, z) => {
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    cubicWeights(x - i, weights, 0);
    cubicWeights(y - j, weights, 4);
    cubicWeights(z - k, weights, 8);
    for (let tap = 0; tap < 4; tap++) {
      indices[tap] = mirror(i - 1 + tap, width) - left;
      indices[4 + tap] = row * (mirror(j - 1 + tap, height) - top);
      indices[8 + tap] = plane * (mirror(k - 1 + tap, depth) - nearest);
    }
    let sum = 0;
    for (let c = 8; c < 12; c++) {
      for (let b = 4; b < 8; b++) {
        const at = indices[c]! + indices[b]!;
        let line = 0;
        for (let a = 0; a < 4; a++) line += weights[a]! * data[at + indices[a]!]!;
        sum += weights[c]! * weights[b]! * line;
      }
    }
    return sum;
  };
}
