import { balancedAccuracy, prAuc, rocAuc } from '@onco-response/metrics';

/** What an epoch is judged by; all but the loss are better when larger. */
export interface ValidationFigures {
  /** Mean cross-entropy, positives weighted as in training. */
  loss: number;
  auc: number;
  prAuc: number;
  /** Where a logit above 0 counts as positive. */
  balancedAccuracy: number;
}

export function validationFigures(
  labels: readonly number[],
  logits: readonly number[],
  { positiveWeight }: { positiveWeight: number },
): ValidationFigures {
  return {
    loss: crossEntropy(labels, logits, positiveWeight),
    auc: rocAuc(labels, logits),
    prAuc: prAuc(labels, logits),
    balancedAccuracy: balancedAccuracy(labels, logits, 0),
  };
}

/** Mean of log(1 + exp(-z)) for positives (weighted) and log(1 + exp(z)) for negatives, stable for large |z|. */
function crossEntropy(labels: readonly number[], logits: readonly number[], positiveWeight: number): number {
  const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const terms = labels.map((label, i) =>
    label === 1 ? positiveWeight * softplus(-logits[i]!) : softplus(logits[i]!),
  );
  return terms.reduce((sum, term) => sum + term, 0) / labels.length;
}
