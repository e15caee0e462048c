import { compareModels, evaluateModel } from '@onco-response/report';
import { evaluateBaselines } from './evaluate-baselines.js';
import { type Prediction, THRESHOLD_RULE, type TrialPredictions } from './predict-trial.js';
import type { Study } from './study.js';

export type Evaluation = ReturnType<typeof evaluatePredictions>;

/**
 * The numbers of a hold-out study: its test cases, and the external ones where there are any.
 *
 * @param patientOf the patient of each case: the bootstrap draws patients
 */
export function evaluatePredictions(
  { predictions, calibration, threshold, volumeThreshold, baselineThresholds }: TrialPredictions,
  study: Study,
  patientOf: ReadonlyMap<string, string>,
) {
  const { resamples, level } = study.evaluation;
  const bootstrap = { resamples, level, seed: study.seed };
  const of = (split: Prediction['split']) => {
    const rows = predictions.filter((each) => each.split === split);
    return {
      labels: rows.map(({ label }) => label),
      clusters: rows.map(({ caseId }) => patientOf.get(caseId) as string),
      probabilities: rows.map(({ probability }) => probability),
      volumeProbabilities: rows.map(({ volumeOnlyProbability }) => volumeOnlyProbability),
      baselines: rows.map(({ baselines }) => baselines),
    };
  };
  const measure = ({
    labels,
    clusters,
    probabilities,
    volumeProbabilities,
    baselines,
  }: ReturnType<typeof of>) => ({
    model: evaluateModel(labels, probabilities, { threshold, bootstrap, clusters }),
    volumeOnly: evaluateModel(labels, volumeProbabilities, {
      threshold: volumeThreshold,
      bootstrap,
      clusters,
    }),
    modelAgainstVolumeOnly: compareModels(labels, probabilities, volumeProbabilities, {
      bootstrap,
      clusters,
    }),
    ...evaluateBaselines({
      labels,
      clusters,
      probabilities,
      baselines,
      thresholds: baselineThresholds,
      bootstrap,
    }),
  });
  const test = of('test');
  const external = of('external');
  return {
    predictions,
    ...test,
    calibration,
    bootstrap,
    threshold,
    thresholdRule: THRESHOLD_RULE,
    metrics: {
      threshold,
      calibration,
      ...measure(test),
      ...(external.labels.length > 0 && { external: measure(external) }),
    },
  };
}
