import { dirname, join } from 'node:path';
import { Progress } from '@onco-response/command-line/node';
import { clipByGlobalNorm, ExponentialAverage, type RandomState } from '@onco-response/engine';
import type { CasePrediction, ResponseModel } from '@onco-response/response-model';
import { toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import type { AugmentedTokens } from './augmented-tokens.js';
import { createSampler } from './batches.js';
import type { CaseTokens } from './case-tokens.js';
import {
  keepCheckpoint,
  momentsByName,
  readCheckpoint,
  restoreMoments,
  restoreSnapshot,
  snapshot,
  type TrainingState,
  writeCheckpoint,
} from './checkpoint.js';
import { clinicalOf, type WithClinical } from './clinical-values.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { forwardCases } from './forward-cases.js';
import { createOptimizer } from './optimizer.js';
import { LOG_NAME, type LogEvent, RunLog } from './run-log.js';
import { afterEpoch, FIRST_PLATEAU, learningRate } from './schedule.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { TrainingBags } from './training-bags.js';
import { type LossTerms, termWeights } from './training-loss.js';
import { numberPatients, stepGradients } from './training-step.js';
import { validationFigures } from './validation-figures.js';

export interface LabelledCase extends WithClinical {
  caseId: string;
  label: 0 | 1;
  /** Where it is left out, each case is a patient. */
  patientId?: string;
}

export interface TrainOptions {
  model: ResponseModel;
  study: Study;
  tokens: Pick<CaseTokens, 'read'>;
  train: readonly LabelledCase[];
  /** Variants of the training cases; standardisation and validation see the cases as they are. */
  augmented?: AugmentedTokens | undefined;
  validation: readonly LabelledCase[];
  /** Where the checkpoint is kept; the log lies beside it. */
  checkpointPath: string;
  /** Hash of all that decides the result: a checkpoint of anything else is refused. */
  identity: string;
  /** Asked between two steps: true saves the state and stops. */
  interrupted: () => boolean;
  /** Name the patients of each split in the log. */
  patientIds?: boolean;
}

/**
 * Trains the model's variables and leaves in it the values of the epoch that the study keeps. Goes on from the checkpoint where there is one;
 * at the same thread count the result is the same to the bit, however often it was stopped.
 *
 * @throws TrainError INTERRUPTED after saving, STUDY_CHANGED for a checkpoint of another study, DIVERGED
 */
export async function trainModel(options: TrainOptions): Promise<TrainingState> {
  const { model, study, tokens, train, augmented, validation, checkpointPath, identity, interrupted } =
    options;
  const { training, loss, seed } = study;
  const variables = model.namedVariables();
  const tensors = model.namedTensors();
  const optimizer = createOptimizer(variables, training);
  const sampler = createSampler(train, training, seed);
  const bags = new TrainingBags({ tokens, augmented, slicesPerStep: training.slicesPerStep, seed });
  const memory = new EmbeddingMemory(loss.contrastive + loss.hardNegatives > 0 ? loss.memory : 0);
  const patientNumbers = numberPatients(train);
  const positives = train.filter(({ label }) => label === 1).length;
  const positiveWeight = (train.length - positives) / positives;
  const stepsPerEpoch = Math.ceil(sampler.batchesPerEpoch / training.accumulate);
  const schedule = {
    kind: training.schedule,
    peak: training.learningRate,
    warmUpSteps: Math.round(training.warmUpEpochs * stepsPerEpoch),
    totalSteps: training.epochs * stepsPerEpoch,
  };
  const log = new RunLog(join(dirname(checkpointPath), LOG_NAME));

  let best = new Map<string, WeightTensor>();
  let state: TrainingState = {
    identity,
    epoch: 0,
    step: 0,
    ...NO_LOSS,
    optimizerStep: 0,
    streams: { model: model.streams(), order: sampler.state(), bags: bags.state() },
    memoryLabels: [],
    memoryPatients: [],
    history: [],
    log: [started(options, variables, stepsPerEpoch)],
    plateau: FIRST_PLATEAU,
    averageUpdates: 0,
    best: null,
    finished: false,
    seconds: 0,
  };
  const saved = await readCheckpoint(checkpointPath);
  if (saved) {
    if (saved.state.identity !== identity) {
      throw new TrainError({
        code: 'STUDY_CHANGED',
        message: `${checkpointPath} belongs to another study, cohort, encoder or thread count: take another --out, or remove that folder`,
      });
    }
    ({ state, best } = saved);
    restoreSnapshot(tensors, saved.weights);
    restoreMoments(optimizer, variables, saved);
    model.restoreStreams(state.streams.model);
    sampler.restore(state.streams.order);
    bags.restore(state.streams.bags);
    if (saved.memory) memory.push(toFloat32(saved.memory), state.memoryLabels, state.memoryPatients);
    if (!state.finished) console.error(`going on from epoch ${state.epoch + 1}, step ${state.step + 1}`);
  } else {
    await standardiseModel(model, tokens, train);
  }
  const average =
    training.averageDecay === null
      ? undefined
      : new ExponentialAverage(variables, { decay: training.averageDecay });
  if (saved && average) {
    const averages = Object.fromEntries([...saved.average].map(([name, each]) => [name, toFloat32(each)]));
    average.restore({ updates: state.averageUpdates, averages });
  }
  await log.restore(state.log);
  const start = performance.now() - state.seconds * 1000;
  const secondsSoFar = () => (performance.now() - start) / 1000;

  const save = async (order: RandomState) => {
    state.streams = { model: model.streams(), order, bags: bags.state() };
    const { step, moments } = await momentsByName(optimizer, variables);
    const kept = memory.content;
    const averaged = await average?.state();
    state.optimizerStep = step;
    state.memoryLabels = kept?.labels ?? [];
    state.memoryPatients = kept?.patients ?? [];
    state.averageUpdates = averaged?.updates ?? 0;
    state.seconds = secondsSoFar();
    await writeCheckpoint(checkpointPath, {
      state,
      weights: await snapshot(tensors),
      moments,
      best,
      memory: kept && { dtype: 'F32', shape: kept.shape, data: kept.rows },
      average: new Map(
        Object.entries(averaged?.averages ?? {}).map(([name, data]) => [
          name,
          { dtype: 'F32', shape: [data.length], data },
        ]),
      ),
    });
  };

  const progress = new Progress('training', state.finished ? 0 : training.epochs * stepsPerEpoch);
  progress.advance(state.epoch * stepsPerEpoch + state.step);
  try {
    while (!state.finished) {
      const order = sampler.state();
      const steps = inSteps(sampler.batches(state.epoch), training.accumulate);
      for (; state.step < steps.length; state.step++) {
        if (interrupted()) {
          await save(order);
          throw new TrainError({
            code: 'INTERRUPTED',
            message: 'stopped; the same command goes on from here',
          });
        }
        optimizer.learningRate = learningRate(state.epoch * stepsPerEpoch + state.step, {
          ...schedule,
          factor: state.plateau.factor,
        });
        const batches = (steps[state.step] as number[][]).map((batch) =>
          batch.map((index) => train[index] as LabelledCase),
        );
        await takeStep(batches, state.epoch + state.step / steps.length);
        progress.advance(
          1,
          `epoch ${state.epoch + 1}/${training.epochs} loss ${(state.lossSum / (state.step + 1)).toFixed(3)}`,
        );
      }
      const events = await endEpoch(steps.length);
      await log.append(...events.slice(0, 1)); // the rest is true once the checkpoint is written
      await save(sampler.state());
      await keepCheckpoint(checkpointPath, {
        epoch: state.epoch,
        bestEpoch: state.best?.epoch ?? state.epoch,
        count: training.keepCheckpoints,
      });
      await log.append(...events.slice(1));
    }
  } finally {
    progress.stop();
    optimizer.dispose();
    average?.dispose();
  }
  restoreSnapshot(tensors, best);
  return state;

  /** One optimiser step on the mean gradient of its batches. */
  async function takeStep(batches: LabelledCase[][], epoch: number): Promise<void> {
    const step = await stepGradients(batches, {
      model,
      bags,
      loss,
      positiveWeight,
      memory,
      weights: termWeights(loss, epoch),
      patientNumbers,
      chunkSize: training.gradientCache ? training.chunkSize : null,
    });
    if (!Number.isFinite(step.loss)) {
      throw new TrainError({
        code: 'DIVERGED',
        message: `the loss is ${step.loss} in epoch ${state.epoch + 1}: lower training.learningRate (now ${training.learningRate})`,
      });
    }
    tf.tidy(() => optimizer.applyGradients(clipByGlobalNorm(step.gradients, training.clipNorm).gradients));
    tf.dispose(step.gradients);
    average?.update();
    state.lossSum += step.loss;
    state.termSums = mapTerms(state.termSums, (sum, name) => sum + step.terms[name]);
  }

  /** Validates, keeps the best, decides whether to go on; returns what there is to log. */
  async function endEpoch(steps: number): Promise<LogEvent[]> {
    const evaluate = async () => {
      const logits = (await forwardCases(model, tokens, validation)).map(({ logit }) => logit);
      const figures = validationFigures(
        validation.map(({ label }) => label),
        logits,
        { positiveWeight: loss.classification.startsWith('weighted') ? positiveWeight : 1 },
      );
      const figure = training.monitor === 'loss' ? -figures.loss : figures[training.monitor];
      if (training.keep === 'lastEpoch' || !state.best || figure > state.best.figure) {
        state.best = { epoch: state.epoch + 1, figure };
        best = await snapshot(tensors);
      }
      return { figures, figure };
    };
    const { figures, figure } = await (average ? average.apply(evaluate) : evaluate());
    const record = {
      epoch: state.epoch + 1,
      trainLoss: state.lossSum / steps,
      trainTerms: mapTerms(state.termSums, (sum) => sum / steps),
      validationLoss: figures.loss,
      validationAuc: figures.auc,
      validationPrAuc: figures.prAuc,
      validationBalancedAccuracy: figures.balancedAccuracy,
      learningRate: optimizer.learningRate,
    };
    state.history.push(record);
    state.plateau = afterEpoch(state.plateau, figure, training.plateau);
    state.epoch += 1;
    Object.assign(state, { step: 0, ...NO_LOSS });
    const bestEpoch = state.best?.epoch ?? state.epoch;
    const stale = state.epoch - bestEpoch >= training.patience && state.epoch >= training.minimumEpochs;
    state.finished = stale || state.epoch === training.epochs;

    const at = new Date().toISOString();
    const { epoch } = state;
    const seconds = secondsSoFar();
    const before = state.log.reduce((sum, event) => sum + (event.event === 'epoch' ? event.seconds : 0), 0);
    const events: LogEvent[] = [
      {
        at,
        event: 'epoch',
        epochs: training.epochs,
        ...record,
        seconds: rounded(seconds - before),
        secondsLeft: state.finished ? 0 : rounded((seconds / epoch) * (training.epochs - epoch)),
        peakMemoryMib: Math.round(process.resourceUsage().maxRSS / 1024),
      },
      { at, event: 'checkpoint', epoch, bestEpoch },
    ];
    if (state.finished) {
      const reason = epoch === training.epochs ? 'epochs' : 'patience';
      events.push({ at, event: 'finished', epoch, bestEpoch, reason, seconds: rounded(seconds) });
    }
    state.log.push(...events);
    return events;
  }
}

const NO_LOSS = { lossSum: 0, termSums: { classification: 0, contrastive: 0, hardNegatives: 0 } };

function started(
  { study, identity, train, validation, patientIds }: TrainOptions,
  variables: Record<string, tf.Variable>,
  stepsPerEpoch: number,
): LogEvent {
  const positives = (cases: readonly LabelledCase[]) => cases.filter(({ label }) => label === 1).length;
  const patients = (cases: readonly LabelledCase[]) => [
    ...new Set(cases.map(({ patientId, caseId }) => patientId ?? caseId)),
  ];
  return {
    at: new Date().toISOString(),
    event: 'started',
    identity,
    seed: study.seed,
    epochs: study.training.epochs,
    stepsPerEpoch,
    cases: { train: train.length, validation: validation.length },
    positives: { train: positives(train), validation: positives(validation) },
    trainedParameters: Object.values(variables).reduce((sum, { size }) => sum + size, 0),
    ...(patientIds && { patients: { train: patients(train), validation: patients(validation) } }),
  };
}

function mapTerms(
  { classification, contrastive, hardNegatives }: LossTerms,
  change: (value: number, name: keyof LossTerms) => number,
): LossTerms {
  return {
    classification: change(classification, 'classification'),
    contrastive: change(contrastive, 'contrastive'),
    hardNegatives: change(hardNegatives, 'hardNegatives'),
  };
}

/** The batches of each optimiser step. */
function inSteps(batches: number[][], accumulate: number): number[][][] {
  return Array.from({ length: Math.ceil(batches.length / accumulate) }, (_, step) =>
    batches.slice(step * accumulate, (step + 1) * accumulate),
  );
}

const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000;

/** Fixes the means and deviations by which the model standardises slice embeddings, from training cases. */
export async function standardiseModel(
  model: ResponseModel,
  tokens: Pick<CaseTokens, 'read'>,
  train: readonly LabelledCase[],
): Promise<void> {
  await model.standardise(embeddings(model, tokens, train));
}

/** The slice embeddings that the untrained encoder gives each case. */
async function* embeddings(
  model: ResponseModel,
  tokens: Pick<CaseTokens, 'read'>,
  cases: readonly LabelledCase[],
) {
  for (const { caseId } of cases) yield model.sliceEmbeddings(await tokens.read(caseId));
}

/** What the model says of cases as they are, one case at a time. */
export async function predictCases(
  model: ResponseModel,
  tokens: Pick<CaseTokens, 'read'>,
  cases: readonly LabelledCase[],
): Promise<Omit<CasePrediction, 'slices'>[]> {
  const said: Omit<CasePrediction, 'slices'>[] = [];
  for (const each of cases) {
    const { clinical = [] } = clinicalOf([each], model.recipe);
    said.push(await model.predictTokens(await tokens.read(each.caseId), clinical[0]));
  }
  return said;
}
