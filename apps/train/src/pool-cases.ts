import { type ClinicalBaseline, forEachBaseline, type OfBaselines } from './clinical-baselines.js';
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
  /** Where the cohort has clinical columns. */
  baselines?: OfBaselines;
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
      ...(rows.every(({ baselines }) => baselines) && {
        baselines: forEachBaseline((name) => mean(rows.map(({ baselines }) => baselines?.[name] as number))),
      }),
    }));
}

/**
 * For each case of `poolCases` the mean threshold of the trials that predicted it. Those never saw it; other folds' trials
 * may have chosen their threshold on it, since one fold's test cases are another's validation cases.
 */
export function caseThresholds(
  trials: readonly CollectedTrial[],
  split: 'test' | 'external',
): {
  threshold: number[];
  volumeThreshold: number[];
  baselineThresholds?: Record<ClinicalBaseline, number[]>;
} {
  const results = new Map<string, TrialResult[]>();
  for (const { predictions, result } of trials) {
    for (const { caseId } of predictions.filter((each) => each.split === split)) {
      results.set(caseId, [...(results.get(caseId) ?? []), result]);
    }
  }
  const byCase = [...results].sort(([a], [b]) => (a < b ? -1 : 1));
  const means = (name: 'threshold' | 'volumeThreshold') =>
    byCase.map(([, own]) => mean(own.map((result) => result[name])));
  const clinical = byCase.every(([, own]) => own.every(({ baselineThresholds }) => baselineThresholds));
  return {
    threshold: means('threshold'),
    volumeThreshold: means('volumeThreshold'),
    ...(clinical && {
      baselineThresholds: forEachBaseline((name) =>
        byCase.map(([, own]) =>
          mean(own.map(({ baselineThresholds }) => baselineThresholds?.[name] as number)),
        ),
      ),
    }),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
