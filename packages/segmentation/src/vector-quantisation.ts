import * as tf from '@tensorflow/tfjs-core';
import { countOf } from './array-shape.js';

export interface Quantised {
  /** [B, D, H, W, C] */
  readonly features: tf.Tensor5D;
  /** Index of the codebook's vector at each position, int32 [B, D, H, W]. */
  readonly codes: tf.Tensor4D;
  /** What draws codebook and features to each other: a term of the training loss. */
  readonly loss: tf.Scalar;
}

/**
 * Puts the nearest vector of a codebook in place of each position's features (van den Oord et al. 2017; `VectorQuantiser`
 * of AinkaranSanthi/Vector-Quantisation-for-Robust-Segmentation@aef926b): the loss is
 * mean((z_q - sg z)^2) + commitment x mean((sg z_q - z)^2), and a gradient of the features goes straight through to z.
 *
 * @param z [B, D, H, W, C]
 * @param codebook [size, C]
 */
export function quantise(z: tf.Tensor5D, codebook: tf.Tensor2D, commitment: number): Quantised {
  const codes = nearestCodes(z, codebook);
  const features = tf.customGrad(() => ({
    value: lookUp(codes, codebook, z.shape),
    gradFunc: (dy: tf.Tensor) => tf.clone(dy),
  }))(z) as tf.Tensor5D;
  const loss = tf.customGrad((...given) => {
    const save = given[2] as unknown as tf.GradSaveFunc;
    const distance = tf.tidy(() => tf.sub(lookUp(codes, codebook, z.shape), z));
    save([distance, codes]);
    return {
      value: tf.tidy(() => tf.mul(tf.mean(tf.square(distance)), 1 + commitment)),
      gradFunc: (dy: tf.Tensor, [apart, indices]: tf.Tensor[]) => {
        const gradients = tf.tidy(() => {
          const slope = tf.mul(apart!, tf.mul(dy, 2 / countOf(z.shape)));
          const rows = tf.reshape(slope, [-1, codebook.shape[1]]);
          const chosen = tf.oneHot(tf.reshape(indices!, [-1]) as tf.Tensor1D, codebook.shape[0]);
          const toCodebook = tf.matMul(tf.cast(chosen, 'float32'), rows, true, false);
          return [tf.mul(slope, -commitment), toCodebook];
        });
        tf.dispose([apart!, indices!]);
        return gradients;
      },
    };
  })(z, codebook) as tf.Scalar;
  return { features, codes, loss };
}

/** A choice has no gradient: nothing of what it takes is kept for one. */
function nearestCodes(z: tf.Tensor5D, codebook: tf.Tensor2D): tf.Tensor4D {
  const choose = tf.customGrad(() => ({
    value: tf.tidy(() => {
      const rows = tf.reshape(z, [-1, codebook.shape[1]]); // [positions, C]
      const lengths = tf.sum(tf.square(codebook), 1); // [size]
      // |z - e|^2 without |z|^2, which all vectors share
      const distances = tf.sub(lengths, tf.mul(tf.matMul(rows, codebook, false, true), 2)); // [positions, size]
      return tf.reshape(tf.argMin(distances, 1), z.shape.slice(0, 4));
    }),
    gradFunc: () => tf.zerosLike(z),
  }));
  return choose(z) as tf.Tensor4D;
}

const lookUp = (codes: tf.Tensor, codebook: tf.Tensor2D, shape: number[]): tf.Tensor =>
  tf.tidy(() => tf.reshape(tf.gather(codebook, tf.reshape(codes, [-1]) as tf.Tensor1D), shape));

/** How much of a codebook is used. */
export interface CodebookUsage {
  /** The share of positions at each vector. */
  readonly histogram: Float32Array;
  /** exp of the histogram's entropy: 1 where one vector is used, the codebook's size where all are used alike. */
  readonly perplexity: number;
}

/** @param counts of positions at each vector of the codebook, or their weights */
export function codebookUsage(counts: ArrayLike<number>): CodebookUsage {
  const shares = Array.from(counts);
  const total = shares.reduce((sum, count) => sum + count, 0);
  let entropy = 0;
  const histogram = Float32Array.from(shares, (count) => {
    const share = total === 0 ? 0 : count / total;
    if (share > 0) entropy -= share * Math.log(share);
    return share;
  });
  return { histogram, perplexity: Math.exp(entropy) };
}
