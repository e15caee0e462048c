import * as tf from '@tensorflow/tfjs-core';

/** DINOv2's learned factor a channel; ViT has none. Touvron et al. 2021, https://arxiv.org/abs/2103.17239. */
export function layerScale(x: tf.Tensor2D, factor: tf.Tensor1D | undefined): tf.Tensor2D {
  return factor ? tf.mul(x, factor) : x; // [rows, E]
}
