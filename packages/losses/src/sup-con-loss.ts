import * as tf from '@tensorflow/tfjs-core';
import { checkOption, type Labels } from './labels.js';
import { meanOverKeys, only, type PairOptions, pairMean } from './pairs.js';

/** Options of {@link supConLoss}. */
export interface SupConLossOptions extends PairOptions {
  /** What cosine similarities are divided by. Default 0.07. */
  temperature?: number;
  /** Only where given, the loss is multiplied by temperature / baseTemperature. */
  baseTemperature?: number;
}

/**
 * Supervised contrastive loss (Khosla et al. 2020, `L_out`), mean over all anchors of the batch:
 * `-(1/|P(i)|) sum_{p in P(i)} (s_ip / t - log sum_{a != i} exp(s_ia / t))`, with `s` the cosine similarity (embeddings
 * are normalised to length 1 here) and P(i) the other items of the anchor's class. An anchor without a positive adds 0
 * and counts in the mean: a batch of one, and one in which every class is alone, give 0 with a zero gradient. One class
 * only gives a finite loss that has no negatives to push away; equal embeddings give log of the number of other keys.
 * As HobbitLong/SupContrast `losses.py`, whose factor t / base is opt-in here.
 *
 * @param embeddings [B, D]
 * @throws LossError `SHAPE`, `LABELS`, `OPTIONS`
 * @example
 * const loss = supConLoss(embeddings, [1, 1, 0, 0], { temperature: 0.07 }); // embeddings [4, D]
 */
export function supConLoss(
  embeddings: tf.Tensor,
  labels: Labels,
  { temperature = 0.07, baseTemperature, ...pairOptions }: SupConLossOptions = {},
): tf.Scalar {
  checkOption(temperature > 0, `temperature is ${temperature}; expected a number above 0.`);
  checkOption(
    baseTemperature === undefined || baseTemperature > 0,
    `baseTemperature is ${baseTemperature}; expected a number above 0.`,
  );
  const factor = baseTemperature === undefined ? 1 : temperature / baseTemperature;
  return pairMean(embeddings, labels, pairOptions, ({ similarity, positive, negative }) => {
    const scores = tf.div(similarity, temperature); // [B, K]
    const others = tf.add(positive, negative); // [B, K] every key but the anchor itself
    const logDenominator = tf.logSumExp(only(scores, others), 1, true); // [B, 1]
    return tf.mul(meanOverKeys(tf.sub(logDenominator, scores), positive), factor); // [B]
  });
}
