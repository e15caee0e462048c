import * as tf from '@tensorflow/tfjs-core';
import { countOf } from './array-shape.js';
import { axisTaps } from './resample-axis.js';
import type { Triple } from './unet-architecture.js';

/**
 * Linear interpolation to another size: torch's `interpolate(mode='trilinear', align_corners=False)`, as one product of
 * matrices an axis, which every backend differentiates (tfjs's own resizing has no third axis).
 *
 * @param x [B, D, H, W, C]
 * @returns [B, ...size, C]; x itself where it has that size
 */
export function resizeLinear(x: tf.Tensor5D, size: Triple): tf.Tensor5D {
  return tf.tidy(() => {
    let current: tf.Tensor5D = x;
    for (const axis of [1, 2, 3] as const) {
      const [from, to] = [current.shape[axis], size[axis - 1]!];
      if (from === to) continue;
      const [outer, inner] = [countOf(current.shape.slice(0, axis)), countOf(current.shape.slice(axis + 1))];
      const lines = tf.reshape(current, [outer, from, inner]);
      const shape = [...current.shape] as tf.Tensor5D['shape'];
      shape[axis] = to;
      current = tf.reshape(tf.matMul(interpolation(from, to), lines), shape);
    }
    return current;
  });
}

/** [1, to, from]: what each new sample takes of the old ones. */
function interpolation(from: number, to: number): tf.Tensor3D {
  const { first, weights } = axisTaps(from, to, 1);
  const matrix = new Float32Array(to * from);
  for (let at = 0; at < weights.length; at++) {
    const sample = at >> 1; // two taps each
    const source = Math.min(first[sample]! + (at & 1), from - 1);
    matrix[sample * from + source]! += weights[at]!;
  }
  return tf.tensor3d(matrix, [1, to, from]);
}
