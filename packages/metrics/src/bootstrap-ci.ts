import { checkLabelled, checkLevel, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { quantile } from './quantile.js';
import { forEachResample, type ResampleOptions } from './resampler.js';
import { countedStatistics, rank } from './weighted-ranking.js';

export type Statistic = (labels: number[], scores: number[]) => number;

export interface BootstrapOptions extends ResampleOptions {
  /** confidence; 0.95 unless given */
  level?: number;
}

export interface BootstrapInterval {
  /** the statistic on the data as given */
  estimate: number;
  lower: number;
  upper: number;
  /** how many were asked for */
  resamples: number;
  /** how many of those gave no value (one class drawn, for example) and are not in the interval */
  discarded: number;
}

/**
 * Percentile bootstrap interval of any statistic of (labels, scores). Resamples cases, or whole `clusters`; by default
 * within each class. `rocAuc` and `prAuc` are sorted once and cost O(n) a resample.
 *
 * A resample on which the statistic raises a MetricsError or is not finite is counted in `discarded`.
 *
 * @param statistic such as `rocAuc`, or `(labels, scores) => f1Score(labels, scores, 0.5)`
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION`; `NOT_FINITE` when the statistic of the data is not a number;
 *   `TOO_FEW` when fewer than two resamples gave a value
 * @see Efron and Tibshirani 1993, chapter 13
 * @example
 * bootstrapCi(rocAuc, labels, scores, { resamples: 2000, seed: 7, stratified: true, level: 0.95, clusters: patients })
 */
export function bootstrapCi(
  statistic: Statistic,
  labels: Values,
  scores: Values,
  { level = 0.95, ...options }: BootstrapOptions = {},
): BootstrapInterval {
  checkLabelled(labels, scores);
  return intervalOf([scores], (value) => value[0]!, statistic, labels, level, options);
}

/**
 * Paired percentile bootstrap interval of statistic(scoresA) - statistic(scoresB): both models are measured on the same
 * resamples. With `clusters` this is the comparison to report when a patient has several cases.
 *
 * @throws MetricsError as `bootstrapCi`
 * @example
 * bootstrapDifferenceCi(rocAuc, labels, model, volumeOnly, { seed: 7, clusters: patients }).lower > 0
 */
export function bootstrapDifferenceCi(
  statistic: Statistic,
  labels: Values,
  scoresA: Values,
  scoresB: Values,
  { level = 0.95, ...options }: BootstrapOptions = {},
): BootstrapInterval {
  checkLabelled(labels, scoresA, 'scoresA');
  checkLabelled(labels, scoresB, 'scoresB');
  return intervalOf(
    [scoresA, scoresB],
    (values) => values[0]! - values[1]!,
    statistic,
    labels,
    level,
    options,
  );
}

function intervalOf(
  scoreSets: Values[],
  combine: (values: number[]) => number,
  statistic: Statistic,
  labels: Values,
  level: number,
  options: ResampleOptions,
): BootstrapInterval {
  checkLevel(level);
  const labelArray = Array.from(labels);
  const estimate = combine(scoreSets.map((scores) => statistic([...labelArray], Array.from(scores))));
  if (!Number.isFinite(estimate)) {
    throw new MetricsError({
      code: 'NOT_FINITE',
      message: `The statistic is ${estimate} on the data as given, so it has no interval.`,
    });
  }
  const onCounts = scoreSets.map((scores) => resampledStatistic(statistic, labelArray, scores));
  const values: number[] = [];
  let resamples = 0;
  forEachResample(labels, options, (counts) => {
    resamples++;
    const parts = onCounts.map((evaluate) => evaluate(counts));
    if (parts.every((part) => part !== undefined && Number.isFinite(part)))
      values.push(combine(parts as number[]));
  });
  if (values.length < 2) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `Only ${values.length} of ${resamples} resamples gave a value: use stratified resampling or more cases.`,
    });
  }
  const sorted = Float64Array.from(values).sort();
  return {
    estimate,
    lower: quantile(sorted, (1 - level) / 2),
    upper: quantile(sorted, (1 + level) / 2),
    resamples,
    discarded: resamples - values.length,
  };
}

function resampledStatistic(
  statistic: Statistic,
  labels: number[],
  scores: Values,
): (counts: Uint32Array) => number | undefined {
  const counted = countedStatistics.get(statistic);
  if (counted) {
    const ranking = rank(labels, scores);
    return (counts) => counted(ranking, counts);
  }
  return (counts) => {
    const drawnLabels: number[] = [];
    const drawnScores: number[] = [];
    for (let i = 0; i < counts.length; i++) {
      for (let copy = counts[i]!; copy > 0; copy--) {
        drawnLabels.push(labels[i]!);
        drawnScores.push(scores[i]!);
      }
    }
    try {
      return statistic(drawnLabels, drawnScores);
    } catch (error) {
      if (MetricsError.isInstance(error)) return undefined;
      throw error;
    }
  };
}
