import {
  ambiguityWeights,
  binaryCrossEntropy,
  crossEntropy,
  focalLoss,
  hardNegativeLoss,
  supConLoss,
  weightSchedule,
} from '@onco-response/losses';
import type { ForwardResult } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import type { EmbeddingMemory } from './embedding-memory.js';
import type { Study } from './study.js';

/** The terms of the loss as they are, before their weights; 0 for one that is left out. */
export type LossTerms = Record<'classification' | 'contrastive' | 'hardNegatives', number>;

export interface LossOptions {
  loss: Study['loss'];
  /** n_negative / n_positive of the training cases. */
  positiveWeight: number;
  memory: EmbeddingMemory;
  /** What the terms weigh at this point of the training. */
  weights: TermWeights;
}

export interface TermWeights {
  contrastive: number;
  hardNegatives: number;
}

/** What a batch's cases are: the order of both is that of the logits. */
export interface BatchTruth {
  labels: readonly number[];
  /** A whole number a patient. */
  patients: readonly number[];
}

/** The weights of the terms at an epoch, counted from 0; a fraction is a point within it. */
export function termWeights(loss: Study['loss'], epoch: number): TermWeights {
  const at = (to: number, course: Study['loss']['contrastiveSchedule']) =>
    course === null ? to : weightSchedule({ ...course, to })(epoch);
  return {
    contrastive: at(loss.contrastive, loss.contrastiveSchedule),
    hardNegatives: at(loss.hardNegatives, loss.hardNegativesSchedule),
  };
}

/**
 * L = L_classification + contrastive * L_supcon + hardNegatives * L_hard, a scalar, and its terms in the order of
 * `LossTerms`.
 */
export function trainingLoss(
  { logits, projection }: Pick<ForwardResult, 'logits' | 'projection'>,
  { labels, patients }: BatchTruth,
  { loss, positiveWeight, memory, weights }: LossOptions,
): { value: tf.Scalar; terms: tf.Scalar[] } {
  const earlier = memory.content;
  const items = loss.pairsWithinPatient ? {} : { items: patients };
  const keys = {
    ...items,
    ...(earlier && {
      memory: {
        embeddings: tf.tensor2d(earlier.rows, earlier.shape),
        labels: earlier.labels,
        ...(!loss.pairsWithinPatient && { items: earlier.patients }),
      },
    }),
  };
  const { temperature, baseTemperature } = loss;
  const base = baseTemperature === null ? {} : { baseTemperature };
  const terms = [
    classification(logits, labels, loss, positiveWeight),
    weights.contrastive > 0 ? supConLoss(projection, labels, { temperature, ...base, ...keys }) : undefined,
    weights.hardNegatives > 0
      ? hardNegativeLoss(projection, labels, {
          mode: loss.hardNegativeMode,
          temperature,
          beta: loss.hardNegativeBeta,
          margin: loss.hardNegativeMargin,
          k: loss.hardNegativeCount,
          ...(loss.ambiguityWeights && { anchorWeights: ambiguityOf(logits) }),
          ...keys,
        })
      : undefined,
  ] as const;
  const [first, contrastive, hardNegatives] = terms;
  const weighted = [
    first,
    ...(contrastive ? [tf.mul(contrastive, weights.contrastive)] : []),
    ...(hardNegatives ? [tf.mul(hardNegatives, weights.hardNegatives)] : []),
  ];
  return { value: tf.addN(weighted) as tf.Scalar, terms: terms.map((term) => term ?? tf.scalar(0)) };
}

const ambiguityOf = (logits: tf.Tensor1D) =>
  ambiguityWeights(Array.from(logits.dataSync(), (logit) => 1 / (1 + Math.exp(-logit))));

function classification(
  logits: tf.Tensor1D,
  labels: readonly number[],
  { classification: kind, focalGamma }: Study['loss'],
  positiveWeight: number,
): tf.Scalar {
  if (kind === 'focal') return focalLoss(logits, labels, { gamma: focalGamma });
  if (kind === 'weightedCe') return crossEntropy(logits, labels, { classWeights: [1, positiveWeight] });
  return binaryCrossEntropy(logits, labels, kind === 'weightedBce' ? { posWeight: positiveWeight } : {});
}
