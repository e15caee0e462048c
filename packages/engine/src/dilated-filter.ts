import * as tf from '@tensorflow/tfjs-core';
import type { Triple } from './volume-kernels.js';

/** [kd, kh, kw, in, out] with zeros between its elements, for backends whose convolutions do not dilate. */
export function dilateFilter(filter: tf.Tensor, dilations: Triple): tf.Tensor {
  return tf.tidy(() => {
    let spread = filter;
    dilations.forEach((dilation, axis) => {
      if (dilation === 1) return;
      const size = spread.shape[axis]!;
      const [outer, inner] = [spread.shape.slice(0, axis), spread.shape.slice(axis + 1)];
      const volume = inner.reduce((product, length) => product * length, 1);
      const before = outer.reduce((product, length) => product * length, 1);
      const gaps = tf.pad(tf.reshape(spread, [before, size, 1, volume]), [
        [0, 0],
        [0, 0],
        [0, dilation - 1],
        [0, 0],
      ]);
      const long = tf.reshape(gaps, [...outer, size * dilation, ...inner]);
      const shape = [...long.shape];
      shape[axis] = (size - 1) * dilation + 1; // nothing follows the last element
      spread = tf.slice(long, Array(shape.length).fill(0), shape);
    });
    return spread === filter ? tf.clone(filter) : spread;
  });
}

/** The elements of a dilated filter's gradient that belong to the filter. */
export function undilateFilter(gradient: tf.Tensor, dilations: Triple): tf.Tensor {
  return tf.stridedSlice(gradient, [0, 0, 0, 0, 0], [...gradient.shape], [...dilations, 1, 1]);
}
