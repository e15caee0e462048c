import { bcaLimits, jackknife } from './bca.js';
import { checkLabelled, checkLevel, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { quantile } from './quantile.js';
import { forEachResample, type ResampleOptions, resamplingStrata } from './resampler.js';
import { countedStatistics, rank } from './weighted-ranking.js';

export type Statistic = (labels: number[], scores: number[]) => number;

export interface BootstrapOptions extends ResampleOptions {
  /** confidence; 0.95 unless given */
  level?: number;
  /** `percentile` unless given; `bca` corrects its bias and skewness with a jackknife, O(n) evaluations more */
  method?: 'percentile' | 'bca';
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
 * Bootstrap interval (percentile or BCa) of any statistic of (labels, scores). Resamples cases, or whole `clusters`; by default
 * within each class. `rocAuc` and `prAuc` are sorted once and cost O(n) a resample.
 *
 * A resample on which the statistic raises a MetricsError or is not finite is counted in `discarded`. With `method: 'bca'`
 * the acceleration is the multi-sample jackknife's over the strata and clusters that are drawn; where the statistic does not
 * vary (an AUC of 1) both methods give [estimate, estimate].
 *
 * @param statistic such as `rocAuc`, or `(labels, scores) => f1Score(labels, scores, 0.5)`
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION`; `NOT_FINITE` when the statistic of the data is not a number;
 *   `TOO_FEW` when fewer than two resamples gave a value, and for BCa when a case or cluster cannot be left out or when all
 *   resamples lie on one side of the estimate
 * @see Efron and Tibshirani 1993, chapters 13 and 14; scipy `bootstrap`
 * @example
 * bootstrapCi(rocAuc, labels, scores, { resamples: 2000, seed: 7, stratified: true, level: 0.95, clusters: patients })
 */
export function bootstrapCi(
  statistic: Statistic,
  labels: Values,
  scores: Values,
  { level = 0.95, method = 'percentile', ...options }: BootstrapOptions = {},
): BootstrapInterval {
  checkLabelled(labels, scores);
  return intervalOf([scores], (value) => value[0]!, statistic, labels, { level, method }, options);
}

/**
 * Paired bootstrap interval (percentile or BCa) of statistic(scoresA) - statistic(scoresB): both models are measured on the same
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
  { level = 0.95, method = 'percentile', ...options }: BootstrapOptions = {},
): BootstrapInterval {
  checkLabelled(labels, scoresA, 'scoresA');
  checkLabelled(labels, scoresB, 'scoresB');
  return intervalOf(
    [scoresA, scoresB],
    (values) => values[0]! - values[1]!,
    statistic,
    labels,
    { level, method },
    options,
  );
}

function intervalOf(
  scoreSets: Values[],
  combine: (values: number[]) => number,
  statistic: Statistic,
  labels: Values,
  { level, method }: { level: number; method: 'percentile' | 'bca' },
  options: ResampleOptions,
): BootstrapInterval {
  checkLevel(level);
  if (method !== 'percentile' && method !== 'bca') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `method is ${String(method)}: give 'percentile' or 'bca'.`,
    });
  }
  const labelArray = Array.from(labels);
  const estimate = combine(scoreSets.map((scores) => statistic([...labelArray], Array.from(scores))));
  if (!Number.isFinite(estimate)) {
    throw new MetricsError({
      code: 'NOT_FINITE',
      message: `The statistic is ${estimate} on the data as given, so it has no interval.`,
    });
  }
  const onCounts = scoreSets.map((scores) => resampledStatistic(statistic, labelArray, scores));
  const evaluate = (counts: Uint32Array): number | undefined => {
    const parts = onCounts.map((part) => part(counts));
    return parts.every((part) => part !== undefined && Number.isFinite(part))
      ? combine(parts as number[])
      : undefined;
  };
  const values: number[] = [];
  let resamples = 0;
  forEachResample(labels, options, (counts) => {
    resamples++;
    const value = evaluate(counts);
    if (value !== undefined) values.push(value);
  });
  if (values.length < 2) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `Only ${values.length} of ${resamples} resamples gave a value: use stratified resampling or more cases.`,
    });
  }
  const sorted = Float64Array.from(values).sort();
  const [lower, upper] =
    method === 'bca'
      ? bcaLimits(
          estimate,
          sorted,
          jackknife(resamplingStrata(labels, options), labels.length, evaluate),
          level,
        )
      : [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
  return {
    estimate,
    lower,
    upper,
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
