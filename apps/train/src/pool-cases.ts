import type { Prediction } from './predict-trial.js';
import type { TrialResult } from './trial.js';

/** A done trial with its predictions. */
export interface CollectedTrial {
  result: TrialResult;
  predictions: Prediction[];
}

/** One case, with the mean of the probabilities that several models give it. */
export interface PooledCase {
  caseId: string;
  label: 0 | 1;
  probability: number;
  volumeOnlyProbability: number;
}

/** Mean probabilities by case over trials (seeds, repetitions, or the folds' models on external cases), sorted by case. */
export function poolCases(
  trials: readonly Pick<CollectedTrial, 'predictions'>[],
  split: 'test' | 'external',
): PooledCase[] {
  const byCase = new Map<string, Prediction[]>();
  for (const { predictions } of trials) {
    for (const each of predictions) {
      if (each.split !== split) continue;
      const rows = byCase.get(each.caseId);
      if (rows) rows.push(each);
      else byCase.set(each.caseId, [each]);
    }
  }
  return [...byCase]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([caseId, rows]) => ({
      caseId,
      label: (rows[0] as Prediction).label,
      probability: mean(rows.map(({ probability }) => probability)),
      volumeOnlyProbability: mean(rows.map(({ volumeOnlyProbability }) => volumeOnlyProbability)),
    }));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
