import * as tf from '@tensorflow/tfjs-core';
import { checkOption, type Labels } from './labels.js';
import { LossError } from './loss-error.js';
import { constantOf, meanOverKeys, only, type PairOptions, type Pairs, pairMean } from './pairs.js';

/** Options of {@link hardNegativeLoss}. */
export interface HardNegativeLossOptions extends PairOptions {
  /** Which form; see {@link hardNegativeLoss}. */
  mode: 'reweight' | 'topk' | 'batchHardTriplet';
  /** `reweight`: what cosine similarities are divided by. Default 0.07. */
  temperature?: number;
  /** `reweight`: how strongly similar negatives are preferred; 0 is SupCon. Default 1. */
  beta?: number;
  /**
   * `reweight`: whether an anchor's other positives are in the denominator, as in SupCon (beta 0 is then SupCon exactly),
   * or not, as Jiang et al. wrote it. Default 'supCon'.
   */
  form?: 'supCon' | 'hscl';
  /** `topk`, `batchHardTriplet`: similarity margin. Default 0.2. */
  margin?: number;
  /** `topk`: how many negatives an anchor is compared with. Default 3. */
  k?: number;
  /** [B] factor of each anchor's term, for example {@link ambiguityWeights}. Constant: no gradient. Default all 1. */
  anchorWeights?: ArrayLike<number>;
  /**
   * What the weighted terms are divided by: the number of anchors, so that a batch of decided cases counts less, or the
   * sum of the weights. Default 'anchors'.
   */
  divideBy?: 'anchors' | 'weights';
}

/**
 * Hard-negative loss on cosine similarities `s` (embeddings are normalised to length 1 here), mean over all anchors:
 * - `reweight`: SupCon whose negatives are tilted towards the similar ones: the denominator is
 *   `sum_P e^(s/t) + |N| * sum_N w e^(s/t) / sum_N w` with constant `w = e^(beta s/t)`. With `form: 'hscl'` it is
 *   `e^(s_ip/t) + (K - 2) * sum_N w e^(s/t) / sum_N w` for each positive p (K keys) and the mean is over all positive
 *   pairs, as Jiang et al. 2022 (H-SCL, rjiang03/H-SCL `main.py`).
 * - `topk`: `mean over the k most similar negatives of max(0, s - margin)^2`.
 * - `batchHardTriplet`: `max(0, margin + max_N s - min_P s)`. Hermans et al. 2017 in cosine form.
 *
 * An anchor without a needed positive or negative adds 0 and counts in the mean (`reweight` without negatives is SupCon;
 * in its form `hscl` it adds 0). So a batch of one gives 0, and one class gives 0 except for `reweight`, which is finite.
 *
 * @param embeddings [B, D]
 * @throws LossError `SHAPE`, `LABELS`, `OPTIONS`
 * @example
 * const loss = hardNegativeLoss(embeddings, [1, 1, 0, 0], { mode: 'topk', margin: 0.2, k: 3 }); // embeddings [4, D]
 */
export function hardNegativeLoss(
  embeddings: tf.Tensor,
  labels: Labels,
  options: HardNegativeLossOptions,
): tf.Scalar {
  const { mode, temperature = 0.07, beta = 1, form = 'supCon', margin = 0.2, k = 3 } = options;
  const { anchorWeights, divideBy = 'anchors' } = options;
  checkOption(mode in anchorTerms, `mode is ${mode}; expected ${Object.keys(anchorTerms).join(', ')}.`);
  checkOption(temperature > 0, `temperature is ${temperature}; expected a number above 0.`);
  checkOption(beta >= 0 && Number.isFinite(beta), `beta is ${beta}; expected a number from 0.`);
  checkOption(form === 'supCon' || form === 'hscl', `form is ${form}; expected supCon or hscl.`);
  checkOption(
    divideBy === 'anchors' || divideBy === 'weights',
    `divideBy is ${divideBy}; expected anchors or weights.`,
  );
  checkOption(Number.isFinite(margin), `margin is ${margin}; expected a number.`);
  checkOption(Number.isInteger(k) && k > 0, `k is ${k}; expected a positive integer.`);
  if (anchorWeights && anchorWeights.length !== embeddings.shape[0]) {
    throw new LossError({
      code: 'SHAPE',
      message: `${anchorWeights.length} anchor weights for ${embeddings.shape[0]} embeddings; expected one each.`,
    });
  }
  const weights = anchorWeights && Array.from(anchorWeights);
  const wrong = weights?.find((weight) => !(weight >= 0 && Number.isFinite(weight)));
  checkOption(wrong === undefined, `An anchor weight is ${wrong}; expected numbers from 0.`);
  return pairMean(embeddings, labels, options, (pairs) => {
    const terms = anchorTerms[mode](pairs, { temperature, beta, form, margin, k }); // [B]
    if (!weights) return terms;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const factor = divideBy === 'weights' && total > 0 ? weights.length / total : 1;
    return tf.mul(
      terms,
      tf.tensor1d(
        weights.map((weight) => weight * factor),
        'float32',
      ),
    );
  });
}

/**
 * How undecided a prediction is: `(1 - |2p - 1|)^sharpness`, 1 at p = 0.5 and 0 at p = 0 or 1. As `anchorWeights` it has
 * hard negatives mined around ambiguous cases. That the published method does it so is a guess; a larger `sharpness`
 * (default 1) narrows the band.
 *
 * @throws LossError `OPTIONS`
 * @example
 * const anchorWeights = ambiguityWeights([0.5, 0.9]); // [1, 0.2]
 */
export function ambiguityWeights(
  probabilities: ArrayLike<number>,
  { sharpness = 1 }: { sharpness?: number } = {},
): Float64Array {
  checkOption(
    sharpness > 0 && Number.isFinite(sharpness),
    `sharpness is ${sharpness}; expected a number above 0.`,
  );
  return Float64Array.from(probabilities, (probability) => {
    checkOption(
      probability >= 0 && probability <= 1,
      `A probability is ${probability}; expected a number in [0, 1].`,
    );
    return (1 - Math.abs(2 * probability - 1)) ** sharpness;
  });
}

type Settings = Required<Pick<HardNegativeLossOptions, 'temperature' | 'beta' | 'form' | 'margin' | 'k'>>;

const anchorTerms: Record<HardNegativeLossOptions['mode'], (pairs: Pairs, settings: Settings) => tf.Tensor> =
  {
    reweight({ similarity, positive, negative }, { temperature, beta, form }) {
      const scores = tf.div(similarity, temperature) as tf.Tensor2D; // [B, K]
      // log(w / sum_N w), a constant that is added to a negative's score inside the exponential.
      const logShare = constantOf(scores, (constant) => {
        const tilt = tf.mul(constant, beta); // [B, K] log w
        return tf.mul(tf.sub(tilt, tf.logSumExp(only(tilt, negative), 1, true)), negative);
      });
      const negatives = tf.sum(negative, 1, true); // [B, 1] |N|
      if (form === 'hscl') {
        const logSize = Math.log(Math.max(similarity.shape[1] - 2, 1));
        const logNegative = tf.logSumExp(only(tf.add(scores, logShare), negative), 1, true); // [B, 1]
        // log(e^s + (K - 2) e^logNegative) - s
        const terms = tf.softplus(tf.sub(tf.add(logNegative, logSize), scores)); // [B, K]
        const pairs = tf.mul(positive, tf.minimum(negatives, 1));
        // Over all pairs alike: an anchor counts as often as it has positives.
        const perAnchor = tf.sum(tf.mul(terms, pairs), 1); // [B]
        return tf.mul(perAnchor, tf.div(similarity.shape[0], tf.maximum(tf.sum(pairs), 1)));
      }
      const logWeight = tf.mul(tf.add(logShare, tf.log(tf.maximum(negatives, 1))), negative); // [B, K]
      const keys = only(tf.add(scores, logWeight), tf.add(positive, negative));
      return meanOverKeys(tf.sub(tf.logSumExp(keys, 1, true), scores), positive);
    },

    topk({ similarity, negative }, { margin, k }) {
      const chosen = mostSimilar(similarity, negative, k); // [B, K] of 0 and 1
      return meanOverKeys(tf.square(tf.relu(tf.sub(similarity, margin))), chosen);
    },

    batchHardTriplet({ similarity, positive, negative }, { margin }) {
      const hardest = tf.sum(tf.mul(similarity, mostSimilar(similarity, negative, 1)), 1); // [B] max over negatives
      const farthest = tf.sum(tf.mul(similarity, mostSimilar(tf.neg(similarity), positive, 1)), 1); // [B] min over positives
      const complete = tf.mul(tf.max(positive, 1), tf.max(negative, 1)); // [B] 1 where there are both
      return tf.mul(tf.relu(tf.add(tf.sub(hardest, farthest), margin)), complete);
    },
  };

/** 0/1 [B, K]: the k highest scores of each row among the allowed keys, fewer where fewer are allowed. Constant. */
function mostSimilar(scores: tf.Tensor2D, allowed: tf.Tensor2D, k: number): tf.Tensor2D {
  const keys = scores.shape[1];
  return constantOf(scores, (constant) => {
    const { indices } = tf.topk(only(constant, allowed), Math.min(k, keys)); // [B, k]
    // Not tf.oneHot, which refuses a depth of 1.
    const chosen = tf.equal(tf.expandDims(indices, 2), tf.range(0, keys, 1, 'int32')); // [B, k, K]
    return tf.mul(tf.sum(tf.cast(chosen, 'float32'), 1), allowed);
  });
}
