import { Progress } from '@onco-response/command-line/node';
import { AdamW, clipByGlobalNorm, type RandomState, RandomStream } from '@onco-response/engine';
import { rocAuc } from '@onco-response/metrics';
import type { PrefixTokens, ResponseModel } from '@onco-response/response-model';
import { toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { stratifiedBatches } from './batches.js';
import type { CaseTokens } from './case-tokens.js';
import {
  momentsByName,
  readCheckpoint,
  restoreMoments,
  restoreSnapshot,
  snapshot,
  type TrainingState,
  writeCheckpoint,
} from './checkpoint.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { learningRate } from './schedule.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { trainingLoss } from './training-loss.js';

export interface LabelledCase {
  caseId: string;
  label: 0 | 1;
}

export interface TrainOptions {
  model: ResponseModel;
  study: Study;
  tokens: CaseTokens;
  train: readonly LabelledCase[];
  validation: readonly LabelledCase[];
  /** Where the checkpoint is kept. */
  checkpointPath: string;
  /** Hash of all that decides the result: a checkpoint of anything else is refused. */
  identity: string;
  /** Asked between two steps: true saves the state and stops. */
  interrupted: () => boolean;
}

/**
 * Trains the model's variables and leaves the best epoch's values in it. Goes on from the checkpoint where there is one;
 * at the same thread count the result is the same to the bit, however often it was stopped.
 *
 * @throws TrainError INTERRUPTED after saving, STUDY_CHANGED for a checkpoint of another study, DIVERGED
 */
export async function trainModel(options: TrainOptions): Promise<TrainingState> {
  const { model, study, tokens, train, validation, checkpointPath, identity, interrupted } = options;
  const { training, loss, seed } = study;
  const variables = model.namedVariables();
  const tensors = model.namedTensors();
  const optimizer = new AdamW({ learningRate: training.learningRate, weightDecay: training.weightDecay });
  const streams = {
    order: new RandomStream(seed, 'order of cases'),
    slices: new RandomStream(seed, 'slices of a step'),
  };
  const memory = new EmbeddingMemory(loss.contrastive + loss.hardNegatives > 0 ? loss.memory : 0);
  const positives = train.filter(({ label }) => label === 1).length;
  const positiveWeight = (train.length - positives) / positives;
  const stepsPerEpoch = Math.ceil(train.length / training.batchSize);
  const schedule = {
    peak: training.learningRate,
    warmUpSteps: Math.round(training.warmUpEpochs * stepsPerEpoch),
    totalSteps: training.epochs * stepsPerEpoch,
  };

  let best = new Map<string, WeightTensor>();
  let state: TrainingState = {
    identity,
    epoch: 0,
    step: 0,
    lossSum: 0,
    optimizerStep: 0,
    streams: { model: model.streams(), order: streams.order.state(), slices: streams.slices.state() },
    memoryLabels: [],
    history: [],
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
    streams.order.restore(state.streams.order);
    streams.slices.restore(state.streams.slices);
    if (saved.memory) memory.push(toFloat32(saved.memory), state.memoryLabels);
    if (!state.finished) console.error(`going on from epoch ${state.epoch + 1}, step ${state.step + 1}`);
  }
  if (!saved) await model.standardise(embeddings(model, tokens, train));
  const started = performance.now() - state.seconds * 1000;

  const save = async (order: RandomState) => {
    state.streams = { model: model.streams(), order, slices: streams.slices.state() };
    const { step, moments } = await momentsByName(optimizer, variables);
    const kept = memory.content;
    state.optimizerStep = step;
    state.memoryLabels = kept?.labels ?? [];
    state.seconds = (performance.now() - started) / 1000;
    await writeCheckpoint(checkpointPath, {
      state,
      weights: await snapshot(tensors),
      moments,
      best,
      memory: kept && { dtype: 'F32', shape: kept.shape, data: kept.rows },
    });
  };

  const progress = new Progress('training', state.finished ? 0 : training.epochs * stepsPerEpoch);
  progress.advance(state.epoch * stepsPerEpoch + state.step);
  try {
    while (!state.finished) {
      const order = streams.order.state();
      const batches = stratifiedBatches(
        train.map(({ label }) => label),
        training.batchSize,
        streams.order,
      );
      for (; state.step < batches.length; state.step++) {
        if (interrupted()) {
          await save(order);
          throw new TrainError({
            code: 'INTERRUPTED',
            message: 'stopped; the same command goes on from here',
          });
        }
        const cases = (batches[state.step] as number[]).map((index) => train[index] as LabelledCase);
        const step = state.epoch * stepsPerEpoch + state.step;
        optimizer.learningRate = learningRate(step, schedule);
        const lossValue = await takeStep(cases);
        if (!Number.isFinite(lossValue)) {
          throw new TrainError({
            code: 'DIVERGED',
            message: `the loss is ${lossValue} in epoch ${state.epoch + 1}: lower training.learningRate (now ${training.learningRate})`,
          });
        }
        state.lossSum += lossValue;
        progress.advance(1, `epoch ${state.epoch + 1}/${training.epochs} loss ${lossValue.toFixed(3)}`);
      }
      await endEpoch(batches.length);
      await save(streams.order.state());
    }
  } finally {
    progress.stop();
    optimizer.dispose();
  }
  restoreSnapshot(tensors, best);
  return state;

  /** One optimiser step on a batch of cases; returns its loss. */
  async function takeStep(cases: readonly LabelledCase[]): Promise<number> {
    const bags = await Promise.all(cases.map(({ caseId }) => tokens.read(caseId)));
    const parts = bags.map((bag) => chooseSlices(bag, training.slicesPerStep, streams.slices));
    const labels = cases.map(({ label }) => label);
    const [lossTensor, projection] = tf.tidy(() => {
      const input = tf.concat(parts.map(({ data, shape }) => tf.tensor3d(data, shape)));
      let kept: tf.Tensor2D | undefined;
      const { value, grads } = tf.variableGrads(() => {
        const result = model.forward(
          input,
          parts.map(({ shape }) => shape[0]),
          { training: true },
        );
        kept = tf.keep(result.projection.clone());
        return trainingLoss(result, labels, { loss, positiveWeight, memory });
      }, Object.values(variables));
      const found = Object.fromEntries(Object.entries(grads).filter(([, gradient]) => gradient !== null));
      optimizer.applyGradients(clipByGlobalNorm(found, training.clipNorm).gradients);
      return [value, kept as tf.Tensor2D] as const;
    });
    if (memory.size > 0) memory.push((await projection.data()) as Float32Array, labels);
    const [value] = await lossTensor.data();
    tf.dispose([lossTensor, projection]);
    return value as number;
  }

  async function endEpoch(steps: number): Promise<void> {
    const logits = await predictLogits(model, tokens, validation);
    const labels = validation.map(({ label }) => label);
    const validationAuc = rocAuc(labels, logits);
    const validationLoss = crossEntropy(
      labels,
      logits,
      loss.classification === 'weightedBce' ? positiveWeight : 1,
    );
    state.history.push({
      epoch: state.epoch + 1,
      trainLoss: state.lossSum / steps,
      validationLoss,
      validationAuc,
    });
    const figure = training.monitor === 'auc' ? validationAuc : -validationLoss;
    if (!state.best || figure > state.best.figure) {
      state.best = { epoch: state.epoch + 1, figure };
      best = await snapshot(tensors);
    }
    state.epoch += 1;
    state.step = 0;
    state.lossSum = 0;
    const stale =
      state.epoch - state.best.epoch >= training.patience && state.epoch >= training.minimumEpochs;
    state.finished = stale || state.epoch === training.epochs;
  }
}

/** The slice embeddings that the untrained encoder gives each case. */
async function* embeddings(model: ResponseModel, tokens: CaseTokens, cases: readonly LabelledCase[]) {
  for (const { caseId } of cases) yield model.sliceEmbeddings(await tokens.read(caseId));
}

/** Logits of cases, one case at a time. */
export async function predictLogits(
  model: ResponseModel,
  tokens: CaseTokens,
  cases: readonly LabelledCase[],
): Promise<number[]> {
  const logits: number[] = [];
  for (const { caseId } of cases) logits.push((await model.predictTokens(await tokens.read(caseId))).logit);
  return logits;
}

/** A random part of a case's slices, in their order; all of them where there are no more than `count`. */
function chooseSlices(bag: PrefixTokens, count: number | null, random: RandomStream): PrefixTokens {
  const [slices, tokenCount, width] = bag.shape;
  if (count === null || slices <= count) return bag;
  const chosen = random
    .shuffle(Array.from({ length: slices }, (_, i) => i))
    .slice(0, count)
    .sort((a, b) => a - b);
  const perSlice = tokenCount * width;
  const data = new Float32Array(count * perSlice);
  chosen.forEach((slice, i) => {
    data.set(bag.data.subarray(slice * perSlice, (slice + 1) * perSlice), i * perSlice);
  });
  return { data, shape: [count, tokenCount, width] };
}

/** Mean of log(1 + exp(-z)) for positives (weighted) and log(1 + exp(z)) for negatives, stable for large |z|. */
function crossEntropy(labels: readonly number[], logits: readonly number[], positiveWeight: number): number {
  const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const terms = labels.map((label, i) =>
    label === 1 ? positiveWeight * softplus(-logits[i]!) : softplus(logits[i]!),
  );
  return terms.reduce((sum, term) => sum + term, 0) / labels.length;
}
