import type { CohortCase } from '@onco-response/cohort';
import { fitPlatt, youdenThreshold } from '@onco-response/metrics';
import type { ResponseModel } from '@onco-response/response-model';
import type { CaseAttention } from './case-attention.js';
import type { CaseTokens } from './case-tokens.js';
import { fitClinicalBaselines, type OfBaselines } from './clinical-baselines.js';
import { forwardCases } from './forward-cases.js';
import type { CasesBySplit } from './study-folds.js';
import { predictCases } from './trainer.js';

/** One row of predictions.csv. */
export interface Prediction {
  caseId: string;
  split: 'validation' | 'test' | 'external';
  label: 0 | 1;
  logit: number;
  probability: number;
  lesionVolumeMm3: number;
  volumeOnlyProbability: number;
  /** Where the cohort has clinical columns. */
  baselines?: OfBaselines;
}

export type TrialPredictions = Awaited<ReturnType<typeof predictTrial>>;

export const THRESHOLD_RULE = 'largest Youden index on validation cases';

/**
 * What one trained model says of its validation, test and external cases, beside the baseline that knows the lesion's
 * volume only (logistic regression on its logarithm). Calibration and thresholds come from a function that is given
 * validation cases and nothing else; the baseline is fitted on training cases.
 */
export async function predictTrial({
  model,
  tokens,
  bySplit,
  external,
}: {
  model: ResponseModel;
  tokens: CaseTokens;
  bySplit: CasesBySplit;
  external: readonly CohortCase[];
}) {
  const volumeOnly = fitVolumeOnly(labelsOf(bySplit.train), logVolumes(bySplit.train));
  const ofTraining = await forwardCases(model, tokens, bySplit.train);
  const ofValidation = await predictCases(model, tokens, bySplit.validation);
  const calibrate = calibrateOn(
    labelsOf(bySplit.validation),
    ofValidation.map(({ logit }) => logit),
    volumeOnly.transform(logVolumes(bySplit.validation)),
  );
  const clinical = fitClinicalBaselines({
    bySplit,
    external,
    named: model.recipe.clinical,
    logVolume: ({ caseId }) => Math.log(tokens.facts(caseId).lesionVolumeMm3),
  });
  const attention: CaseAttention[] = [];
  const rows = async (
    split: Prediction['split'],
    cases: readonly CohortCase[],
    given?: typeof ofValidation,
  ): Promise<Prediction[]> => {
    const said = given ?? (await predictCases(model, tokens, cases));
    if (split === 'test') {
      attention.push(
        ...cases.map(({ caseId }, i) => ({
          caseId,
          sliceIndices: tokens.facts(caseId).sliceIndices,
          weights: said[i]?.attention as number[],
        })),
      );
    }
    const logits = said.map(({ logit }) => logit);
    const probabilities = calibrate.transform(logits);
    const volumeProbabilities = volumeOnly.transform(logVolumes(cases));
    const clinicalProbabilities = clinical?.predict(cases);
    return cases.map(({ caseId, label }, i) => ({
      caseId,
      split,
      label,
      logit: logits[i] as number,
      probability: probabilities[i] as number,
      lesionVolumeMm3: tokens.facts(caseId).lesionVolumeMm3,
      volumeOnlyProbability: volumeProbabilities[i] as number,
      ...(clinicalProbabilities && { baselines: clinicalProbabilities[i] as OfBaselines }),
    }));
  };
  return {
    predictions: [
      ...(await rows('validation', bySplit.validation, ofValidation)),
      ...(await rows('test', bySplit.test)),
      ...(await rows('external', external)),
    ],
    /** Of the test cases, in their order. */
    attention,
    embeddings: {
      training: ofTraining.map(({ embedding }) => embedding),
      validation: ofValidation.map(({ embedding }) => embedding),
    },
    calibration: calibrate.calibration,
    threshold: calibrate.threshold,
    volumeThreshold: calibrate.volumeThreshold,
    baselineThresholds: clinical?.thresholds,
  };

  function logVolumes(cases: readonly CohortCase[]): number[] {
    return cases.map(({ caseId }) => Math.log(tokens.facts(caseId).lesionVolumeMm3));
  }
}

const labelsOf = (cases: readonly CohortCase[]) => cases.map(({ label }) => label);

/** Platt scaling and thresholds from validation cases. */
function calibrateOn(labels: readonly number[], logits: readonly number[], volumeOnly: readonly number[]) {
  const platt = fitPlatt(labels, logits);
  return {
    transform: (values: readonly number[]) => platt.transform(values),
    calibration: { a: platt.a, b: platt.b },
    threshold: youdenThreshold(labels, platt.transform(logits)),
    volumeThreshold: youdenThreshold(labels, volumeOnly),
  };
}

/** Logistic regression on log volume; the prevalence where every lesion has the same volume. */
function fitVolumeOnly(labels: readonly number[], logVolumes: readonly number[]) {
  if (logVolumes.some((value) => value !== logVolumes[0])) return fitPlatt(labels, logVolumes);
  const prevalence = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  return { transform: (values: readonly number[]) => values.map(() => prevalence) };
}
