import * as tf from '@tensorflow/tfjs-core';

export interface PatchEmbedding {
  /** [patch * patch * C, E] */
  readonly weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D | undefined;
  readonly patchSize: number;
}

/** The convolution's kernel [E, C, patch, patch] as the matrix [patch * patch * C, E] that `patchEmbedding` multiplies by. */
export function patchMatrix(kernel: tf.Tensor4D): tf.Tensor2D {
  const [width, channels, height, breadth] = kernel.shape;
  return tf.reshape(tf.transpose(kernel, [2, 3, 1, 0]), [height * breadth * channels, width]);
}

/**
 * Cuts images into patches and projects each: a convolution whose stride is its kernel size, written as one product.
 * pixels [B, H, W, C] -> [B, (H / patch) * (W / patch), E], row by row.
 */
export function patchEmbedding(
  pixels: tf.Tensor4D,
  { weight, bias, patchSize }: PatchEmbedding,
): tf.Tensor3D {
  const [batch, height, width, channels] = pixels.shape;
  const [rows, columns] = [height / patchSize, width / patchSize];
  const split = tf.reshape(pixels, [batch, rows, patchSize, columns, patchSize, channels]); // [B, h, p, w, p, C]
  const patches = tf.transpose(split, [0, 1, 3, 2, 4, 5]); // [B, h, w, p, p, C]
  const flat = tf.reshape(patches, [batch * rows * columns, patchSize * patchSize * channels]); // [B * h * w, p * p * C]
  const projected = tf.matMul(flat as tf.Tensor2D, weight); // [B * h * w, E]
  return tf.reshape(bias ? tf.add(projected, bias) : projected, [batch, rows * columns, -1]); // [B, h * w, E]
}
