import { rocAuc } from '@onco-response/metrics';
import { compareModels, evaluateModel } from '@onco-response/report';
import { evaluateBaselines } from './evaluate-baselines.js';
import { type CollectedTrial, caseThresholds, poolCases } from './pool-cases.js';
import { aucWithinFolds, differenceWithinFolds } from './within-folds.js';

export interface PooledOptions {
  bootstrap: { resamples: number; seed: number; level: number };
  patientOf: ReadonlyMap<string, string>;
}

export type PooledEvaluation = ReturnType<typeof evaluatePooled>;

/**
 * Out-of-fold numbers of one variant: pooled over folds, between cases of one fold only, and of each fold.
 *
 * @param trials of one variant, each fold's test cases predicted by a model that never saw them
 * @param first the same for the variant to compare against
 */
export function evaluatePooled(
  trials: readonly CollectedTrial[],
  first: readonly CollectedTrial[],
  { bootstrap, patientOf }: PooledOptions,
) {
  const measure = (split: 'test' | 'external') => {
    const cases = poolCases(trials, split);
    const reference = poolCases(first, split);
    const labels = cases.map(({ label }) => label);
    const clusters = cases.map(({ caseId }) => patientOf.get(caseId) as string);
    const scores = cases.map(({ probability }) => probability);
    const volume = reference.map(({ volumeOnlyProbability }) => volumeOnlyProbability);
    const options = { bootstrap, clusters };
    return {
      model: evaluateModel(labels, scores, {
        threshold: caseThresholds(trials, split).threshold,
        ...options,
      }),
      volumeOnly: evaluateModel(labels, volume, {
        threshold: caseThresholds(first, split).volumeThreshold,
        ...options,
      }),
      modelAgainstVolumeOnly: compareModels(labels, scores, volume, options),
      ...evaluateBaselines({
        labels,
        clusters,
        probabilities: scores,
        baselines: reference.map(({ baselines }) => baselines),
        thresholds: caseThresholds(first, split).baselineThresholds,
        bootstrap,
      }),
      againstFirst:
        trials === first
          ? null
          : compareModels(
              labels,
              scores,
              reference.map(({ probability }) => probability),
              options,
            ),
    };
  };
  const pooled = measure('test');
  return {
    threshold: pooled.model.threshold,
    ...pooled,
    ...(poolCases(trials, 'external').length > 0 && { external: measure('external') }),
    withinFolds: withinFolds(trials, first, { bootstrap, patientOf }),
    folds: foldNames(trials).map((fold) => evaluateFold(fold, trials, bootstrap, patientOf)),
  };
}

function withinFolds(
  trials: readonly CollectedTrial[],
  first: readonly CollectedTrial[],
  { bootstrap: { level }, patientOf }: PooledOptions,
) {
  const rows = foldRows(trials);
  const reference = foldRows(first);
  const each = {
    labels: rows.map(({ label }) => label),
    folds: rows.map(({ fold }) => fold),
    clusters: rows.map(({ caseId }) => patientOf.get(caseId) as string),
    level,
  };
  const scores = rows.map(({ probability }) => probability);
  const volume = reference.map(({ volumeOnlyProbability }) => volumeOnlyProbability);
  return {
    model: aucWithinFolds(each, scores),
    volumeOnly: aucWithinFolds(each, volume),
    modelAgainstVolumeOnly: differenceWithinFolds(each, scores, volume),
    againstFirst:
      trials === first
        ? null
        : differenceWithinFolds(
            each,
            scores,
            reference.map(({ probability }) => probability),
          ),
  };
}

/** The test cases, once for each fold that tested them, seeds averaged. */
function foldRows(trials: readonly CollectedTrial[]) {
  return foldNames(trials)
    .sort()
    .flatMap((fold) => poolCases(ofFold(trials, fold), 'test').map((each) => ({ ...each, fold })));
}

/** One fold, its probabilities averaged over seeds; no AUC where its test cases are of one class. */
function evaluateFold(
  fold: string,
  trials: readonly CollectedTrial[],
  bootstrap: PooledOptions['bootstrap'],
  patientOf: PooledOptions['patientOf'],
) {
  const cases = poolCases(ofFold(trials, fold), 'test');
  const labels = cases.map(({ label }) => label);
  const positives = labels.filter((label) => label === 1).length;
  const counts = { fold, cases: cases.length, positives };
  if (positives === 0 || positives === cases.length) return { ...counts, rocAuc: null };
  const scores = cases.map(({ probability }) => probability);
  const clusters = cases.map(({ caseId }) => patientOf.get(caseId) as string);
  return { ...counts, rocAuc: evaluateModel(labels, scores, { threshold: 0.5, bootstrap, clusters }).rocAuc };
}

/**
 * Nested cross-validation: for each outer fold, the variant whose inner folds, which hold none of its test cases, have the
 * largest pooled AUC; the first of equals.
 */
export function chooseOnInnerFolds(
  variants: ReadonlyMap<string, readonly CollectedTrial[]>,
): Map<string, string> {
  const all = [...variants.values()].flat();
  const outer = [...new Set(all.flatMap(({ result }) => (result.innerOf === null ? [result.fold] : [])))];
  return new Map(
    outer.map((fold) => {
      const scored = [...variants].map(([name, trials]) => {
        const inner = poolCases(
          trials.filter(({ result }) => result.innerOf === fold),
          'test',
        );
        return {
          name,
          auc: rocAuc(
            inner.map(({ label }) => label),
            inner.map(({ probability }) => probability),
          ),
        };
      });
      return [fold, scored.reduce((best, each) => (each.auc > best.auc ? each : best)).name];
    }),
  );
}

const foldNames = (trials: readonly CollectedTrial[]) => [
  ...new Set(trials.map(({ result }) => result.fold)),
];
const ofFold = (trials: readonly CollectedTrial[], fold: string) =>
  trials.filter(({ result }) => result.fold === fold);
