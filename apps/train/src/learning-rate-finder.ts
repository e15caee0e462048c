import { join } from 'node:path';
import { Progress } from '@onco-response/command-line/node';
import { clipByGlobalNorm } from '@onco-response/engine';
import type { ResponseModel } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';
import type { AugmentedTokens } from './augmented-tokens.js';
import { createSampler } from './batches.js';
import type { CaseTokens } from './case-tokens.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { createOptimizer } from './optimizer.js';
import type { Study } from './study.js';
import { planStudy, type Trial } from './study-plan.js';
import { TrainError } from './train-error.js';
import { type LabelledCase, standardiseModel } from './trainer.js';
import { TrainingBags } from './training-bags.js';
import { numberPatients, stepGradients } from './training-step.js';
import { prepareTrial } from './trial.js';
import { writeOutput } from './write-output.js';

/** One step of the ramp. */
export interface RatePoint {
  learningRate: number;
  loss: number;
  /** Exponential mean of the losses so far, bias corrected. */
  smoothedLoss: number;
}

export interface FindLearningRateOptions {
  model: ResponseModel;
  tokens: Pick<CaseTokens, 'read'>;
  augmented?: AugmentedTokens | undefined;
  study: Study;
  train: readonly LabelledCase[];
  from?: number;
  to?: number;
  steps?: number;
  interrupted?: () => boolean;
}

/** How much of the mean so far a step keeps (as fastai). */
const SMOOTHING = 0.9;
/** The ramp ends where the smoothed loss is this many times its least. */
const EXPLODED = 4;
/** The suggestion is the rate of the least smoothed loss over this. */
const MARGIN = 10;

export const RATE_RULE =
  'a tenth of the rate at which the smoothed training loss was least, on an exponential ramp';

/**
 * The learning-rate range test (Smith 2015, arXiv 1506.01186, with fastai's ramp): the rate grows exponentially from step
 * to step; the suggestion is a tenth of where the smoothed loss was least. The model is of no use afterwards.
 *
 * @throws TrainError INTERRUPTED
 */
export async function findLearningRate({
  model,
  study,
  tokens,
  augmented,
  train,
  from = 1e-6,
  to = 1,
  steps = 100,
  interrupted = () => false,
}: FindLearningRateOptions): Promise<{ suggested: number; points: RatePoint[] }> {
  const { training, loss, seed } = study;
  const optimizer = createOptimizer(model.namedVariables(), training);
  const sampler = createSampler(train, training, seed);
  const positives = train.filter(({ label }) => label === 1).length;
  const memory = new EmbeddingMemory(loss.contrastive + loss.hardNegatives > 0 ? loss.memory : 0);
  const patientNumbers = numberPatients(train);
  const bags = new TrainingBags({ tokens, augmented, slicesPerStep: training.slicesPerStep, seed });
  const points: RatePoint[] = [];
  const progress = new Progress('learning rates', steps);
  let mean = 0;
  let waiting: number[][] = [];
  let epoch = 0;
  try {
    for (let step = 0; step < steps; step++) {
      if (interrupted()) throw new TrainError({ code: 'INTERRUPTED', message: 'stopped' });
      if (waiting.length === 0) waiting = sampler.batches(epoch++);
      const batch = (waiting.shift() as number[]).map((index) => train[index] as LabelledCase);
      optimizer.learningRate = from * (to / from) ** (step / Math.max(1, steps - 1));
      const result = await stepGradients([batch], {
        model,
        bags,
        loss,
        positiveWeight: (train.length - positives) / positives,
        memory,
        weights: { contrastive: loss.contrastive, hardNegatives: loss.hardNegatives },
        patientNumbers,
        chunkSize: training.gradientCache ? training.chunkSize : null,
      });
      tf.tidy(() =>
        optimizer.applyGradients(clipByGlobalNorm(result.gradients, training.clipNorm).gradients),
      );
      tf.dispose(result.gradients);
      mean = SMOOTHING * mean + (1 - SMOOTHING) * result.loss;
      const smoothedLoss = mean / (1 - SMOOTHING ** (step + 1));
      points.push({ learningRate: optimizer.learningRate, loss: result.loss, smoothedLoss });
      progress.advance(1, `rate ${optimizer.learningRate.toExponential(1)} loss ${smoothedLoss.toFixed(3)}`);
      const least = Math.min(...points.map((point) => point.smoothedLoss));
      if (!Number.isFinite(smoothedLoss) || smoothedLoss > EXPLODED * least) break;
    }
  } finally {
    progress.stop();
    optimizer.dispose();
  }
  return { suggested: suggestRate(points), points };
}

/** See `RATE_RULE`. Steps of the first tenth do not count: the mean is not steady there. */
export function suggestRate(points: readonly RatePoint[]): number {
  const steady = points.slice(Math.floor(points.length / 10));
  const finite = steady.filter(({ smoothedLoss }) => Number.isFinite(smoothedLoss));
  const least = finite.reduce((a, b) => (b.smoothedLoss < a.smoothedLoss ? b : a), finite[0] as RatePoint);
  return least.learningRate / MARGIN;
}

/**
 * The range test on a study's first trial: `learning-rate.csv` with the curve and `learning-rate.json` with the
 * suggestion. Returns the latter.
 */
export async function writeLearningRate(options: {
  configPath: string;
  out: string;
  steps: number;
  interrupted: () => boolean;
}): Promise<number> {
  const { configPath, out, steps, interrupted } = options;
  const plan = await planStudy(configPath, out, { interrupted });
  const trial = plan.trials[0] as Trial;
  const { model, tokens, augmented, bySplit } = await prepareTrial(plan, trial, { interrupted });
  try {
    await standardiseModel(model, tokens, bySplit.train);
    const { suggested, points } = await findLearningRate({
      model,
      study: trial.study,
      tokens,
      augmented,
      train: bySplit.train,
      steps,
      interrupted,
    });
    const rows = points.map((point) => [point.learningRate, point.loss, point.smoothedLoss].join());
    const csv = `learning_rate,loss,smoothed_loss\n${rows.join('\n')}\n`;
    await writeOutput(join(out, 'learning-rate.csv'), csv);
    const summary = { suggested, rule: RATE_RULE, steps: points.length, trial: trial.trialId };
    await writeOutput(join(out, 'learning-rate.json'), `${JSON.stringify(summary, null, 2)}\n`);
    return suggested;
  } finally {
    model.dispose();
  }
}
