import { binaryCrossEntropy, focalLoss, hardNegativeLoss, supConLoss } from '@onco-response/losses';
import type { ForwardResult } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import type { EmbeddingMemory } from './embedding-memory.js';
import type { Study } from './study.js';

/** L = L_classification + contrastive * L_supcon + hardNegatives * L_hard, a scalar. */
export function trainingLoss(
  { logits, projection }: Pick<ForwardResult, 'logits' | 'projection'>,
  labels: readonly number[],
  { loss, positiveWeight, memory }: { loss: Study['loss']; positiveWeight: number; memory: EmbeddingMemory },
): tf.Scalar {
  return tf.tidy(() => {
    const terms = [classification(logits, labels, loss, positiveWeight)];
    const earlier = memory.content;
    const keys = earlier && {
      memory: { embeddings: tf.tensor2d(earlier.rows, earlier.shape), labels: earlier.labels },
    };
    const { temperature, hardNegativeMode: mode } = loss;
    if (loss.contrastive > 0) {
      terms.push(tf.mul(supConLoss(projection, labels, { temperature, ...keys }), loss.contrastive));
    }
    if (loss.hardNegatives > 0) {
      terms.push(
        tf.mul(hardNegativeLoss(projection, labels, { mode, temperature, ...keys }), loss.hardNegatives),
      );
    }
    return tf.addN(terms);
  });
}

function classification(
  logits: tf.Tensor1D,
  labels: readonly number[],
  { classification: kind, focalGamma }: Study['loss'],
  positiveWeight: number,
): tf.Scalar {
  if (kind === 'focal') return focalLoss(logits, labels, { gamma: focalGamma });
  return binaryCrossEntropy(logits, labels, kind === 'weightedBce' ? { posWeight: positiveWeight } : {});
}
