import type { DatasetLabels } from './dataset-labels.js';

/** The label of a voxel from its logits; where asked, its probabilities are left in `logits`. */
export type Decision = (logits: Float32Array, wantProbabilities: boolean) => number;

/** Labels: the largest logit's place, of equal ones the first; probabilities are their softmax. */
const byLargest: Decision = (logits, wantProbabilities) => {
  let best = 0;
  for (let output = 1; output < logits.length; output++) if (logits[output]! > logits[best]!) best = output;
  if (wantProbabilities) {
    const largest = logits[best]!;
    let sum = 0;
    for (let output = 0; output < logits.length; output++) {
      logits[output] = Math.exp(logits[output]! - largest);
      sum += logits[output]!;
    }
    for (let output = 0; output < logits.length; output++) logits[output]! /= sum;
  }
  return best;
};

/** Regions: each output whose sigmoid is above 1/2 writes its label, later ones over earlier ones. */
const byRegions =
  (order: readonly number[]): Decision =>
  (logits) => {
    let label = 0;
    for (let output = 0; output < logits.length; output++) {
      const probability = Math.fround(1 / (1 + Math.exp(-logits[output]!)));
      logits[output] = probability;
      if (probability > 0.5) label = order[output]!;
    }
    return label;
  };

export function decisionFor({ regionsClassOrder }: DatasetLabels): Decision {
  return regionsClassOrder ? byRegions(regionsClassOrder) : byLargest;
}
