import * as tf from '@tensorflow/tfjs-core';

/**
 * Scales gradients so that their joint Euclidean norm is at most `maxNorm`, as `torch.nn.utils.clip_grad_norm_` does
 * (same 1e-6 in the denominator). Returns new tensors and the norm found before; the given ones are left alone.
 */
export function clipByGlobalNorm(
  gradients: Record<string, tf.Tensor>,
  maxNorm: number,
): { gradients: Record<string, tf.Tensor>; norm: tf.Scalar } {
  return tf.tidy(() => {
    const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)) as tf.Scalar);
    const norm = tf.sqrt(tf.addN(squares)) as tf.Scalar;
    const scale = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)));
    const clipped = Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)]),
    );
    return { gradients: clipped, norm };
  });
}
