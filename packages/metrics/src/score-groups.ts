import type { Values } from './check-input.js';

/** The distinct scores, highest first, and how many cases of each class have that score. */
export interface ScoreGroups {
  thresholds: Float64Array;
  positives: Float64Array;
  negatives: Float64Array;
}

/**
 * Groups cases by score in O(n log n). Everything that depends on the order of scores alone (ROC, PR, AUC, Youden) is one
 * pass over this. The two classes are sorted apart because a typed array sorts numbers natively, an index array does not.
 */
export function scoreGroups(labels: Values, scores: Values, positiveCount: number): ScoreGroups {
  const size = labels.length;
  const positive = new Float64Array(positiveCount);
  const negative = new Float64Array(size - positiveCount);
  for (let i = 0, p = 0, n = 0; i < size; i++) {
    if (labels[i] === 1) positive[p++] = scores[i]!;
    else negative[n++] = scores[i]!;
  }
  positive.sort();
  negative.sort();

  const thresholds = new Float64Array(size);
  const positives = new Float64Array(size);
  const negatives = new Float64Array(size);
  let count = 0;
  for (let p = positive.length - 1, n = negative.length - 1; p >= 0 || n >= 0; count++) {
    const value = Math.max(p >= 0 ? positive[p]! : -Infinity, n >= 0 ? negative[n]! : -Infinity);
    thresholds[count] = value;
    for (; p >= 0 && positive[p] === value; p--) positives[count] = positives[count]! + 1;
    for (; n >= 0 && negative[n] === value; n--) negatives[count] = negatives[count]! + 1;
  }
  return {
    thresholds: thresholds.slice(0, count),
    positives: positives.slice(0, count),
    negatives: negatives.slice(0, count),
  };
}
