import { fitPlatt, youdenThreshold } from '@onco-response/metrics';
import { compareModels, evaluateModel } from '@onco-response/report';
import type { ResponseModel } from '@onco-response/response-model';
import type { CaseTokens } from './case-tokens.js';
import type { CasesBySplit } from './fit.js';
import type { Study } from './study.js';
import { predictLogits } from './trainer.js';

/** One row of predictions.csv. */
export interface Prediction {
  caseId: string;
  split: 'validation' | 'test';
  label: 0 | 1;
  logit: number;
  probability: number;
  lesionVolumeMm3: number;
  volumeOnlyProbability: number;
}

export type Evaluation = Awaited<ReturnType<typeof evaluateStudy>>;

/**
 * Calibrates and chooses the threshold on validation cases, then evaluates on test cases, beside the baseline that knows
 * the lesion's volume only (logistic regression on its logarithm, fitted on training cases).
 */
export async function evaluateStudy({
  model,
  study,
  tokens,
  bySplit,
}: {
  model: ResponseModel;
  study: Study;
  tokens: CaseTokens;
  bySplit: CasesBySplit;
}) {
  const labelsOf = (split: keyof CasesBySplit) => bySplit[split].map(({ label }) => label);
  const logVolume = (split: keyof CasesBySplit) =>
    bySplit[split].map(({ caseId }) => Math.log(tokens.facts(caseId).lesionVolumeMm3));

  const logits = {
    validation: await predictLogits(model, tokens, bySplit.validation),
    test: await predictLogits(model, tokens, bySplit.test),
  };
  const platt = fitPlatt(labelsOf('validation'), logits.validation);
  const volumePlatt = fitVolumeOnly(labelsOf('train'), logVolume('train'));
  const probabilities = {
    validation: platt.transform(logits.validation),
    test: platt.transform(logits.test),
  };
  const volumeProbabilities = {
    validation: volumePlatt.transform(logVolume('validation')),
    test: volumePlatt.transform(logVolume('test')),
  };
  const threshold = youdenThreshold(labelsOf('validation'), probabilities.validation);
  const volumeThreshold = youdenThreshold(labelsOf('validation'), volumeProbabilities.validation);

  const { resamples, level } = study.evaluation;
  const bootstrap = { resamples, level, seed: study.seed };
  const clusters = bySplit.test.map(({ patientId }) => patientId);
  const labels = labelsOf('test');
  const predictions: Prediction[] = (['validation', 'test'] as const).flatMap((split) =>
    bySplit[split].map(({ caseId, label }, i) => ({
      caseId,
      split,
      label,
      logit: logits[split][i] as number,
      probability: probabilities[split][i] as number,
      lesionVolumeMm3: tokens.facts(caseId).lesionVolumeMm3,
      volumeOnlyProbability: volumeProbabilities[split][i] as number,
    })),
  );
  return {
    predictions,
    labels,
    clusters,
    probabilities: probabilities.test,
    volumeProbabilities: volumeProbabilities.test,
    calibration: { a: platt.a, b: platt.b },
    bootstrap,
    threshold,
    thresholdRule: 'largest Youden index on validation cases',
    metrics: {
      threshold,
      calibration: { a: platt.a, b: platt.b },
      model: evaluateModel(labels, probabilities.test, { threshold, bootstrap, clusters }),
      volumeOnly: evaluateModel(labels, volumeProbabilities.test, {
        threshold: volumeThreshold,
        bootstrap,
        clusters,
      }),
      modelAgainstVolumeOnly: compareModels(labels, probabilities.test, volumeProbabilities.test, {
        bootstrap,
        clusters,
      }),
    },
  };
}

/** Logistic regression on log volume; the prevalence where every lesion has the same volume. */
function fitVolumeOnly(labels: readonly number[], logVolumes: readonly number[]) {
  if (logVolumes.some((value) => value !== logVolumes[0])) return fitPlatt(labels, logVolumes);
  const prevalence = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  return { transform: (values: readonly number[]) => values.map(() => prevalence) };
}
