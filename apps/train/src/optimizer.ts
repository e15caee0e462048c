import { AdamW } from '@onco-response/engine';
import type * as tf from '@tensorflow/tfjs-core';
import type { Study } from './study.js';

/** AdamW with a study's groups: what is trained of the encoder, and what is not decayed. */
export function createOptimizer(variables: Record<string, tf.Variable>, training: Study['training']): AdamW {
  const { learningRate, weightDecay, adapter, decayBiasesAndNorms } = training;
  return new AdamW({
    learningRate,
    weightDecay,
    groups: Object.entries(variables).map(([name, variable]) => {
      const own = name.startsWith('adapter.') ? adapter : { learningRate: null, weightDecay: null };
      const decays = decayBiasesAndNorms || variable.rank > 1; // biases and the scales of norms are vectors
      return {
        variables: [variable],
        learningRateFactor: (own.learningRate ?? learningRate) / learningRate,
        weightDecay: decays ? (own.weightDecay ?? weightDecay) : 0,
      };
    }),
  });
}
