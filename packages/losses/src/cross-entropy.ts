import * as tf from '@tensorflow/tfjs-core';
import { checkOption, type Labels, labelTensor } from './labels.js';
import { LossError } from './loss-error.js';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** [C] factor of each class's terms, for example {@link balancedClassWeights}. Default all 1. */
  classWeights?: readonly number[];
}

/**
 * Cross-entropy over two or more classes, on logits: the mean over the batch of `-log softmax(x)[y]`, weighted by the
 * weight of each item's class. As torch's `CrossEntropyLoss(weight)`: the sum is divided by the sum of the weights, not
 * by the number of items (so with two classes it differs from `binaryCrossEntropy` with `posWeight` by that factor).
 * An empty batch, or one of classes of weight 0 only, gives 0 with a zero gradient.
 *
 * @param logits [B, C], or [B] for two classes: the logit of class 1 against 0.
 * @throws LossError `SHAPE`, `LABELS`, `OPTIONS`
 * @example
 * const loss = crossEntropy(logits, [2, 0, 1], { classWeights: [1, 2, 1] }); // logits [3, 3]
 */
export function crossEntropy(
  logits: tf.Tensor,
  labels: Labels,
  { classWeights }: CrossEntropyOptions = {},
): tf.Scalar {
  const [count, classes = 2] = logits.shape;
  if (logits.rank < 1 || logits.rank > 2 || classes < 2) {
    throw new LossError({
      code: 'SHAPE',
      message: `Logits have shape [${logits.shape}]; expected [B, C] with two or more classes, or [B].`,
    });
  }
  checkOption(
    classWeights === undefined ||
      (classWeights.length === classes && classWeights.every((w) => w >= 0 && Number.isFinite(w))),
    `classWeights is [${classWeights}]; expected ${classes} numbers from 0.`,
  );
  if (!(labels instanceof tf.Tensor)) {
    const wrong = Array.from(labels).find((label) => label < 0 || label >= classes);
    if (wrong !== undefined) {
      throw new LossError({
        code: 'LABELS',
        message: `Label ${wrong} for ${classes} classes; expected 0 to ${classes - 1}.`,
      });
    }
  }
  return tf.tidy(() => {
    const own = labelTensor(labels, count!, 'logits', false); // [B]
    if (count === 0) return tf.scalar(0);
    const rows = logits.rank === 2 ? logits : tf.stack([tf.zerosLike(logits), logits], 1); // [B, C]
    // Not tf.oneHot: its kernel wants int32, and labels may be any tensor.
    const truth = tf.cast(tf.equal(tf.expandDims(own, 1), tf.range(0, classes)), 'float32'); // [B, C]
    const terms = tf.sub(tf.logSumExp(rows, 1), tf.sum(tf.mul(rows, truth), 1)); // [B]
    if (!classWeights) return tf.mean(terms) as tf.Scalar;
    const weights = tf.squeeze(tf.matMul(truth, tf.tensor2d([...classWeights], [classes, 1])), [1]); // [B]
    const total = tf.sum(weights);
    const divisor = tf.where(tf.greater(total, 0), total, tf.onesLike(total));
    return tf.div(tf.sum(tf.mul(terms, weights)), divisor) as tf.Scalar;
  });
}

/**
 * Class weights that make each class count alike: `n / (classes * n_c)`, as scikit-learn's `class_weight='balanced'`.
 * A class that does not occur gets 0. Count the labels of the training cases only.
 *
 * @throws LossError `LABELS`, `OPTIONS`
 * @example
 * const classWeights = balancedClassWeights([0, 0, 0, 1], 2); // [0.667, 2]
 */
export function balancedClassWeights(labels: ArrayLike<number>, classes: number): number[] {
  checkOption(
    Number.isInteger(classes) && classes >= 2,
    `classes is ${classes}; expected a whole number from 2.`,
  );
  const counts = new Array<number>(classes).fill(0);
  for (const label of Array.from(labels)) {
    if (counts[label] === undefined) {
      throw new LossError({
        code: 'LABELS',
        message: `Label ${label} for ${classes} classes; expected 0 to ${classes - 1}.`,
      });
    }
    counts[label]++;
  }
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
}
