import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { startEngine } from '@onco-response/engine';
import type { CasePrediction, ClinicalValues, ResponseModel } from '@onco-response/response-model';
import { loadBundle } from '@onco-response/response-model/node';
import { CaseTokens, readCase } from './case-tokens.js';
import { clinicalValues } from './clinical-values.js';
import { cacheFolder } from './encoder-store.js';
import { maskOutLesion } from './mask-out-lesion.js';
import type { CaseImages } from './stress-changes.js';
import type { CasesBySplit } from './study-folds.js';
import { casesOfFold } from './study-folds.js';
import { describeTrial, readPlan, type StudyPlan, type Trial, trialFolder } from './study-plan.js';
import { TrainError } from './train-error.js';
import type { TrialResult } from './trial.js';
import { readResult } from './trial-journal.js';

/** The done trials of one variant of a study, and what they found. */
export interface FinishedRun {
  plan: StudyPlan;
  variant: string;
  trials: { trial: Trial; result: TrialResult }[];
}

/** One trained model of a run with its cases. */
export interface FinishedTrial {
  trial: Trial;
  folder: string;
  result: TrialResult;
  bySplit: CasesBySplit;
  model: ResponseModel;
  /** Calibrated probability of a logit. */
  probability: (logit: number) => number;
  /** Of the frozen blocks, for every case of `bySplit`. */
  tokens: CaseTokens;
}

/**
 * A run that is done: its plan, and the trials of one variant that test (not those that only choose a variant).
 * @param variant its name in the table of the run; the first unless given
 * @throws TrainError MISSING_FILE, INCOMPLETE, NO_TRIAL for an unknown variant
 */
export async function openRun(folder: string, variant?: string): Promise<FinishedRun> {
  const plan = await readPlan(folder);
  const names = [...new Set(plan.trials.map((trial) => trial.variant))];
  const name = variant ?? (names[0] as string);
  const inner = new Set(plan.folds.filter(({ innerOf }) => innerOf !== null).map((fold) => fold.name));
  const chosen = plan.trials.filter((trial) => trial.variant === name && !inner.has(trial.fold));
  if (chosen.length === 0) {
    throw new TrainError({
      code: 'NO_TRIAL',
      message: `${folder} has no variant ${name}: give one of ${names.join(', ')}`,
    });
  }
  const trials = await Promise.all(
    chosen.map(async (trial) => {
      const result = await readResult<TrialResult>(trialFolder(plan, trial));
      if (result?.trialId === trial.trialId) return { trial, result };
      throw new TrainError({
        code: 'INCOMPLETE',
        message: `${folder}: trial ${trial.index} (${describeTrial(trial)}) is not done: run onco-train fit again, to the end`,
      });
    }),
  );
  return { plan, variant: name, trials };
}

/** Loads one trial's model from its bundle, and its cases' tokens, which the cache holds since `fit`. */
export async function openTrial(
  plan: StudyPlan,
  { trial, result }: FinishedRun['trials'][number],
  { interrupted, threads }: { interrupted: () => boolean; threads?: number | undefined },
): Promise<FinishedTrial> {
  const { study } = trial;
  const folder = trialFolder(plan, trial);
  const engine = await startEngine({
    backend: 'tensorflow',
    threads: threads ?? study.threads ?? availableParallelism(),
    seed: study.seed,
    gpu: study.gpu,
    tf32: study.tf32,
  });
  const fold = plan.folds.find(({ name }) => name === trial.fold);
  if (!fold) {
    throw new TrainError({
      code: 'STUDY_CHANGED',
      message: `${join(plan.out, 'splits.json')} has no fold ${trial.fold}`,
    });
  }
  const bySplit = casesOfFold(plan.cases, fold);
  const { model, probability } = await loadBundle(join(folder, 'bundle'));
  try {
    const tokens = new CaseTokens({
      folder: join(cacheFolder(), 'slices'),
      precision: study.cachePrecision,
      withoutLesion: study.control === 'lesionMaskedOut',
      engine,
    });
    await tokens.prepare(Object.values(bySplit).flat(), model, interrupted);
    return { trial, folder, result, bySplit, model, probability, tokens };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The images of a case as the trial's model was shown them. */
export async function trialImages({ trial }: FinishedTrial, each: CohortCase): Promise<CaseImages> {
  const { volume, lesion } = await readCase(each);
  const masked = trial.study.control === 'lesionMaskedOut';
  return { volume: masked ? maskOutLesion(volume, lesion) : volume, lesion };
}

/** The case's clinical values, where the model takes any. */
export function trialClinical({ model }: FinishedTrial, each: CohortCase): ClinicalValues | undefined {
  const { clinical } = model.recipe;
  return clinical.length > 0 ? clinicalValues(each, clinical) : undefined;
}

/** What the trial's model says of one of its cases, from cached tokens. */
export async function predictKept(
  trial: FinishedTrial,
  each: CohortCase,
): Promise<Omit<CasePrediction, 'slices'>> {
  return trial.model.predictTokens(await trial.tokens.read(each.caseId), trialClinical(trial, each));
}
