import * as tf from '@tensorflow/tfjs-core';
import { checkOption, type Labels, labelTensor } from './labels.js';
import { LossError } from './loss-error.js';

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions {
  /** Factor of the positive class's term, usually negatives / positives of the training fold. Default 1. */
  posWeight?: number;
}

/** Options of {@link focalLoss}. */
export interface FocalLossOptions {
  /** How much easy cases are faded out; 0 is plain cross-entropy. Default 2. */
  gamma?: number;
  /** Factor of positives; negatives get 1 - alpha. Default: neither is weighted. */
  alpha?: number;
}

/**
 * Binary cross-entropy on logits, mean over the batch: `posWeight * y * softplus(-x) + (1 - y) * softplus(x)`.
 * As torch's `BCEWithLogitsLoss(pos_weight)`. An empty batch gives 0.
 *
 * @throws LossError `SHAPE`, `LABELS`, `OPTIONS`
 * @example
 * const loss = binaryCrossEntropy(logits, [1, 0, 1], { posWeight: 0.5 }); // logits [3]
 */
export function binaryCrossEntropy(
  logits: tf.Tensor,
  labels: Labels,
  { posWeight = 1 }: BinaryCrossEntropyOptions = {},
): tf.Scalar {
  checkOption(
    posWeight >= 0 && Number.isFinite(posWeight),
    `posWeight is ${posWeight}; expected a number from 0.`,
  );
  return classificationMean(logits, labels, (positive) => {
    const terms = tf.softplus(tf.neg(tf.mul(logits, tf.sub(tf.mul(positive, 2), 1)))); // [B] -log p of the true class
    return tf.mul(terms, tf.add(tf.mul(positive, posWeight - 1), 1));
  });
}

/**
 * Focal loss on logits, mean over the batch: `(1 - p_t)^gamma * cross-entropy`, times alpha for positives and 1 - alpha
 * for negatives where `alpha` is given. Lin et al. 2017; as MONAI `FocalLoss(gamma, alpha)`. An empty batch gives 0.
 *
 * @throws LossError `SHAPE`, `LABELS`, `OPTIONS`
 * @example
 * const loss = focalLoss(logits, [1, 0, 1], { gamma: 2, alpha: 0.25 }); // logits [3]
 */
export function focalLoss(
  logits: tf.Tensor,
  labels: Labels,
  { gamma = 2, alpha }: FocalLossOptions = {},
): tf.Scalar {
  checkOption(gamma >= 0 && Number.isFinite(gamma), `gamma is ${gamma}; expected a number from 0.`);
  checkOption(
    alpha === undefined || (alpha >= 0 && alpha <= 1),
    `alpha is ${alpha}; expected a number in [0, 1].`,
  );
  return classificationMean(logits, labels, (positive) => {
    const margin = tf.mul(logits, tf.sub(tf.mul(positive, 2), 1)); // [B] logit of the true class
    const entropy = tf.softplus(tf.neg(margin)); // [B] -log p_t
    // (1 - p_t)^gamma as exp(-gamma * softplus(margin)): the power's own gradient is not finite where 1 - p_t is 0.
    const modulated = tf.mul(entropy, tf.exp(tf.mul(tf.softplus(margin), -gamma)));
    if (alpha === undefined) return modulated;
    return tf.mul(modulated, tf.add(tf.mul(positive, 2 * alpha - 1), 1 - alpha));
  });
}

function classificationMean(
  logits: tf.Tensor,
  labels: Labels,
  terms: (positive: tf.Tensor1D) => tf.Tensor,
): tf.Scalar {
  if (logits.rank !== 1) {
    throw new LossError({ code: 'SHAPE', message: `Logits have shape [${logits.shape}]; expected [B].` });
  }
  return tf.tidy(() => {
    const positive = labelTensor(labels, logits.size, 'logits', true); // [B] of 0 and 1
    return tf.div(tf.sum(terms(positive)), Math.max(logits.size, 1)) as tf.Scalar;
  });
}
