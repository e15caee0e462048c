import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { loadVit } from '@onco-response/encoder';
import { type EngineInfo, startEngine } from '@onco-response/engine';
import { ResponseModel, vitOptions } from '@onco-response/response-model';
import { saveBundle } from '@onco-response/response-model/node';
import { type AugmentedTokens, augmentedTokens } from './augmented-tokens.js';
import { bundleReference } from './bundle-reference.js';
import { writeAttention } from './case-attention.js';
import { CaseTokens } from './case-tokens.js';
import type { TrainingState } from './checkpoint.js';
import type { OfBaselines } from './clinical-baselines.js';
import { fitClinical } from './clinical-values.js';
import { cacheFolder, encoderDirectory } from './encoder-store.js';
import { groupWarnings } from './group-warnings.js';
import { maskFindings, maskSummary, maskWarnings } from './mask-summary.js';
import { permuteLabels } from './permute-labels.js';
import { predictTrial, THRESHOLD_RULE, type TrialPredictions } from './predict-trial.js';
import { predictionsCsv } from './predictions-csv.js';
import { type RunRecord, runRecord } from './run-record.js';
import { shareEncoderFiles } from './share-encoder-files.js';
import { type Study, studyHash } from './study.js';
import { type CasesBySplit, casesOfFold } from './study-folds.js';
import { isSingle, type StudyPlan, type Trial, trialFolder } from './study-plan.js';
import { TrainError } from './train-error.js';
import { trainModel } from './trainer.js';
import { readResult, TrialJournal, waitForOthers } from './trial-journal.js';
import { writeOutput } from './write-output.js';

/** `result.json`: that a trial is done, and what came out. The same bytes whichever process or machine made it. */
export interface TrialResult {
  trialId: string;
  variant: string;
  fold: string;
  repetition: number;
  innerOf: string | null;
  seed: number;
  bestEpoch: number | null;
  epochs: number;
  validationAuc: number | null;
  calibration: { a: number; b: number };
  threshold: number;
  volumeThreshold: number;
  /** Of the baselines on clinical columns, where the cohort has some. */
  baselineThresholds?: OfBaselines;
  warnings: string[];
  predictionsSha256: string;
}

export interface TrialOptions {
  /** Asked between cases and between steps: true saves the state and stops. */
  interrupted: () => boolean;
  /** CPU threads, unless the study says how many; all cores without either. */
  threads?: number | undefined;
  /** Name the patients of each split in the log. */
  patientIds?: boolean;
  /** Evaluate and report a trained trial once more, though it is done. */
  again?: boolean;
}

/** A trained trial while its model is in memory. */
export interface TrainedTrial {
  study: Study;
  bySplit: CasesBySplit;
  predicted: TrialPredictions;
  state: TrainingState;
  record: RunRecord;
  model: ResponseModel;
  tokens: CaseTokens;
  augmented: AugmentedTokens | undefined;
}

/**
 * One variant on one fold with one seed: trains on the fold's training cases, calibrates and chooses the threshold on its
 * validation cases, predicts its test cases. A trial that is done is left as it is.
 *
 * @returns whether it was done already
 * @throws TrainError INTERRUPTED after saving; what stops a study for good is kept in `failure.json` as well
 */
export async function runTrial(
  plan: StudyPlan,
  trial: Trial,
  options: TrialOptions,
): Promise<{ already: boolean }> {
  const folder = trialFolder(plan, trial);
  const isDone = async () => (await readResult<TrialResult>(folder))?.trialId === trial.trialId;
  if (!options.again && (await isDone())) return { already: true };
  await waitForOthers(folder, options.interrupted);
  if (!options.again && (await isDone())) return { already: true };
  const journal = new TrialJournal(folder);
  await journal.start();
  try {
    const trained = await trainTrial(plan, trial, folder, options);
    try {
      const result = await writeTrial(plan, trial, folder, trained);
      if (isSingle(plan)) {
        // Plots take a second to load, which the trials of a larger study are spared.
        const { reportSingleTrial } = await import('./report-single-trial.js');
        await reportSingleTrial(plan, trained);
      }
      await journal.done(result);
    } finally {
      trained.model.dispose();
    }
  } catch (error) {
    const { code = 'DEFECT', message } = error as { code?: string; message: string };
    if (code === 'INTERRUPTED') await journal.stopped();
    else await journal.failed({ code, message });
    throw error;
  }
  return { already: false };
}

/** A trial's untrained model, its cases' tokens, and the variants of its training cases. */
export async function prepareTrial(
  plan: StudyPlan,
  trial: Trial,
  { interrupted, threads }: Pick<TrialOptions, 'interrupted' | 'threads'>,
) {
  const { study } = trial;
  const fold = foldOf(plan, trial);
  const given = casesOfFold(plan.cases, fold);
  const bySplit = study.control === 'permutedLabels' ? permuteLabels(given, study.seed) : given;
  const engine = await startEngine({
    backend: 'tensorflow',
    threads: study.threads ?? threads ?? availableParallelism(),
    seed: study.seed,
    gpu: study.gpu,
    tf32: study.tf32,
  });
  if (!prepared.has(plan)) console.error(describeEngine(engine));
  const encoderPath = encoderDirectory(study.encoder, trial.studyFolder);
  const vit = await loadVit(encoderPath, vitOptions(study.model));
  const clinical = fitClinical(study.model.clinical, bySplit.train);
  const model = new ResponseModel({
    recipe: study.model,
    vit,
    seed: study.seed,
    ...(clinical && { clinical }),
  });
  try {
    const tokens = await preparedTokens(plan, study, model, engine, interrupted);
    const augmented = await augmentedTokens({
      augmentation: study.augmentation,
      train: bySplit.train,
      tokens,
      model,
      seed: trial.splitSeed,
      interrupted,
    });
    return { bySplit, engine, encoderPath, model, tokens, augmented };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function trainTrial(
  plan: StudyPlan,
  trial: Trial,
  folder: string,
  options: TrialOptions,
): Promise<TrainedTrial> {
  const { study } = trial;
  const { interrupted, patientIds = false } = options;
  const { bySplit, engine, encoderPath, model, tokens, augmented } = await prepareTrial(plan, trial, options);
  try {
    const identity = identityOf(trial, engine, model, plan.cases, tokens, augmented);
    const state = await trainModel({
      model,
      study,
      tokens,
      train: bySplit.train,
      augmented,
      validation: bySplit.validation,
      checkpointPath: join(folder, 'checkpoint.safetensors'),
      identity,
      interrupted,
      patientIds,
    });
    const predicted = await predictTrial({ model, tokens, bySplit, external: plan.external });
    const record = runRecord({
      engine,
      identity,
      study,
      studySha256: studyHash(study),
      splitsSha256: plan.splitsSha256,
      model,
      state,
      encoderPath,
      masks: maskSummary(plan),
    });
    return { study, bySplit, predicted, state, record, model, tokens, augmented };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function writeTrial(
  plan: StudyPlan,
  trial: Trial,
  folder: string,
  { study, bySplit, predicted, state, record, model, tokens, augmented }: TrainedTrial,
): Promise<TrialResult> {
  const { calibration, threshold, volumeThreshold, predictions } = predicted;
  await saveBundle(
    join(folder, 'bundle'),
    model,
    {
      name: study.name,
      synthetic: plan.origin !== undefined,
      positiveClass: study.positiveClass,
      target: study.target,
      calibration,
      threshold: { value: threshold, rule: THRESHOLD_RULE },
      masks: record.masks,
      reference: bundleReference(
        bySplit.train.map(({ caseId, label }) => ({
          label,
          lesionVolumeMm3: tokens.facts(caseId).lesionVolumeMm3,
        })),
        predictions,
        threshold,
      ),
      provenance: record.provenance,
    },
    record.encoderPath,
    predicted.embeddings,
  );
  if (!isSingle(plan)) {
    await shareEncoderFiles(
      join(folder, 'bundle', 'encoder'),
      join(plan.out, 'encoders', model.vit.weightsSha256),
    );
  }
  const csv = predictionsCsv(predictions);
  await writeOutput(join(folder, 'predictions.csv'), csv);
  await writeAttention(folder, predicted.attention);
  await writeOutput(join(folder, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
  const { repetition, innerOf } = foldOf(plan, trial);
  const { trialId, variant, fold, seed } = trial;
  const best = state.history.find(({ epoch }) => epoch === state.best?.epoch);
  return {
    trialId,
    variant,
    fold,
    repetition,
    innerOf,
    seed,
    bestEpoch: state.best?.epoch ?? null,
    epochs: state.history.length,
    validationAuc: best?.validationAuc ?? null,
    calibration,
    threshold,
    volumeThreshold,
    ...(predicted.baselineThresholds && { baselineThresholds: predicted.baselineThresholds }),
    warnings: [
      ...maskWarnings(plan),
      ...groupWarnings([
        ...Object.values(bySplit)
          .flat()
          .flatMap(({ caseId }) => tokens.facts(caseId).warnings.map((text) => ({ caseId, text }))),
        ...maskFindings(plan.masks, Object.values(bySplit).flat()),
        ...(augmented?.kind === 'copies' ? augmented.warnings : []),
      ]),
    ],
    predictionsSha256: createHash('sha256').update(csv).digest('hex'),
  };
}

function foldOf({ folds, out }: StudyPlan, { fold }: Trial) {
  const found = folds.find(({ name }) => name === fold);
  if (found) return found;
  throw new TrainError({
    code: 'STUDY_CHANGED',
    message: `${join(out, 'splits.json')} has no fold ${fold}: run onco-train plan again`,
  });
}

/** Trials of one process that read the same tokens share what was found out about the cases. */
const prepared = new WeakMap<StudyPlan, Map<string, CaseTokens>>();

async function preparedTokens(
  plan: StudyPlan,
  study: Study,
  model: ResponseModel,
  engine: EngineInfo,
  interrupted: () => boolean,
): Promise<CaseTokens> {
  const key = JSON.stringify([
    model.recipe.input,
    model.vit.weightsSha256,
    model.vit.preprocessing,
    model.vit.config,
    model.vit.usesClassToken,
    model.frozenBlocks,
    study.cachePrecision,
    study.control === 'lesionMaskedOut',
  ]);
  const known = prepared.get(plan) ?? new Map<string, CaseTokens>();
  prepared.set(plan, known);
  const found = known.get(key);
  if (found) return found;
  const tokens = new CaseTokens({
    folder: join(cacheFolder(), 'slices'),
    precision: study.cachePrecision,
    withoutLesion: study.control === 'lesionMaskedOut',
    engine,
  });
  await tokens.prepare([...plan.cases, ...plan.external], model, interrupted);
  known.set(key, tokens);
  return tokens;
}

/** A hash of all that decides the trained weights. */
function identityOf(
  { study, fold, splitsSha256, clinicalSha256 }: Trial,
  { library, threads, deviceName, tf32 }: EngineInfo,
  model: ResponseModel,
  cases: readonly CohortCase[],
  tokens: CaseTokens,
  augmented: AugmentedTokens | undefined,
): string {
  const keys = cases.map(({ caseId }) => tokens.facts(caseId).key);
  const copies = augmented?.kind === 'copies' ? augmented.keys : [];
  const machine = [library, threads, deviceName, tf32, model.vit.weightsSha256];
  return createHash('sha256')
    .update(JSON.stringify([studyHash(study), fold, splitsSha256, clinicalSha256, ...machine, keys, copies]))
    .digest('hex');
}

function describeEngine(engine: EngineInfo): string {
  return engine.device === 'gpu'
    ? `engine: ${engine.library} on ${engine.deviceName}, TensorFloat-32 ${engine.tf32 ? 'on' : 'off'}`
    : `engine: ${engine.library}, ${engine.threads} threads, oneDNN ${engine.oneDnn ? 'on' : 'off'}`;
}
