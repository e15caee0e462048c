import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AdamW, AdamWState, RandomState } from '@onco-response/engine';
import { readSafetensors, toFloat32, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import type { LogEvent } from './run-log.js';
import type { PlateauState } from './schedule.js';
import { TrainError } from './train-error.js';
import type { TrainingBags } from './training-bags.js';
import type { LossTerms } from './training-loss.js';
import { writeOutput } from './write-output.js';

/** One row of the training curve. */
export interface EpochRecord {
  epoch: number;
  trainLoss: number;
  /** The parts of the training loss, before their weights. */
  trainTerms: LossTerms;
  validationLoss: number;
  validationAuc: number;
  validationPrAuc: number;
  /** Where a logit above 0 counts as positive. */
  validationBalancedAccuracy: number;
  /** Of the epoch's last step. */
  learningRate: number;
}

/** Everything but tensors that exact resumption needs. */
export interface TrainingState {
  /** Hash of study, splits, cohort and encoder: a checkpoint of anything else is refused. */
  identity: string;
  epoch: number;
  /** The next step of that epoch. */
  step: number;
  /** Sum of the losses of this epoch's steps so far. */
  lossSum: number;
  termSums: LossTerms;
  optimizerStep: number;
  /** `order` is the state at the start of the epoch, from which its batches follow; the others are as they are now. */
  streams: {
    model: Record<string, RandomState>;
    order: RandomState;
    bags: ReturnType<TrainingBags['state']>;
  };
  memoryLabels: number[];
  memoryPatients: number[];
  history: EpochRecord[];
  log: LogEvent[];
  plateau: PlateauState;
  /** Updates of the moving average, where there is one. */
  averageUpdates: number;
  best: { epoch: number; figure: number } | null;
  finished: boolean;
  /** Seconds spent training, over all the processes that took part. */
  seconds: number;
}

export interface Checkpoint {
  state: TrainingState;
  weights: Map<string, WeightTensor>;
  moments: AdamWState['moments'];
  best: Map<string, WeightTensor>;
  memory: WeightTensor | undefined;
  /** The moving average by name; empty where there is none. */
  average: Map<string, WeightTensor>;
}

/** Values of named variables, copied out of the backend. */
export async function snapshot(variables: Record<string, tf.Variable>): Promise<Map<string, WeightTensor>> {
  const values = new Map<string, WeightTensor>();
  for (const [name, variable] of Object.entries(variables)) {
    values.set(name, { dtype: 'F32', shape: variable.shape, data: Float32Array.from(await variable.data()) });
  }
  return values;
}

/** Puts a snapshot back. @throws TrainError STUDY_CHANGED when it is of another model */
export function restoreSnapshot(
  variables: Record<string, tf.Variable>,
  values: Map<string, WeightTensor>,
): void {
  for (const [name, variable] of Object.entries(variables)) {
    const saved = values.get(name);
    if (!saved || saved.shape.join() !== variable.shape.join()) {
      throw new TrainError({
        code: 'STUDY_CHANGED',
        message: `the checkpoint has ${saved ? `shape [${saved.shape}]` : 'nothing'} for ${name}, the model has [${variable.shape}]`,
      });
    }
    tf.tidy(() => variable.assign(tf.tensor(toFloat32(saved), variable.shape)));
  }
}

/** The optimiser's moments under the model's own names, which are the same in every process. */
export async function momentsByName(
  optimizer: AdamW,
  variables: Record<string, tf.Variable>,
): Promise<AdamWState> {
  const { step, moments } = await optimizer.state();
  const named = Object.entries(variables).flatMap(([name, variable]) => {
    const found = moments[variable.name];
    return found ? [[name, found] as const] : [];
  });
  return { step, moments: Object.fromEntries(named) };
}

export function restoreMoments(
  optimizer: AdamW,
  variables: Record<string, tf.Variable>,
  { state, moments }: Pick<Checkpoint, 'state' | 'moments'>,
): void {
  const byVariable = Object.entries(moments).map(
    ([name, moment]) => [variables[name]?.name ?? name, moment] as const,
  );
  optimizer.restore({ step: state.optimizerStep, moments: Object.fromEntries(byVariable) });
}

/** One file, written completely or not at all: a process killed at any moment leaves the previous one. */
export async function writeCheckpoint(
  path: string,
  { state, weights, moments, best, memory, average }: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, WeightTensor>();
  for (const [name, tensor] of weights) tensors.set(`weights/${name}`, tensor);
  for (const [name, tensor] of best) tensors.set(`best/${name}`, tensor);
  for (const [name, tensor] of average) tensors.set(`average/${name}`, tensor);
  for (const [name, { first, second }] of Object.entries(moments)) {
    tensors.set(`first/${name}`, { dtype: 'F32', shape: [first.length], data: first });
    tensors.set(`second/${name}`, { dtype: 'F32', shape: [second.length], data: second });
  }
  if (memory) tensors.set('memory', memory);
  await writeOutput(path, writeSafetensors(tensors, { state: JSON.stringify(state) }));
}

/**
 * The newest checkpoint, or undefined where there is none. Where it is damaged, the newest of the kept ones that is not:
 * a run goes on exactly from any of them.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return await parseCheckpoint(path);
  } catch (error) {
    for (const name of (await keptCheckpoints(path)).reverse()) {
      const kept = join(keptFolder(path), name);
      const found = await parseCheckpoint(kept).catch(() => undefined);
      if (!found) continue;
      console.error(`${path} is damaged (${(error as Error).message}); going on from ${kept}`);
      return found;
    }
    throw error;
  }
}

/**
 * Keeps the checkpoint that was just written under its epoch's name in `checkpoints/`, with those of the `count` - 1
 * epochs before and of the best one, and removes the rest.
 */
export async function keepCheckpoint(
  path: string,
  { epoch, bestEpoch, count }: { epoch: number; bestEpoch: number; count: number },
): Promise<void> {
  if (count === 1) return;
  const kept = join(keptFolder(path), nameOf(epoch));
  await mkdir(keptFolder(path), { recursive: true });
  await rm(kept, { force: true });
  await link(path, kept).catch(() => copyFile(path, kept)); // some file systems have no hard links
  for (const name of await keptCheckpoints(path)) {
    const isKept = name === nameOf(bestEpoch) || (name > nameOf(epoch - count) && name <= nameOf(epoch));
    if (!isKept) await rm(join(keptFolder(path), name));
  }
}

const keptFolder = (path: string) => join(dirname(path), 'checkpoints');
const nameOf = (epoch: number) => `epoch-${String(Math.max(0, epoch)).padStart(6, '0')}.safetensors`;

/** From the oldest on. */
async function keptCheckpoints(path: string): Promise<string[]> {
  const names = await readdir(keptFolder(path)).catch(() => []);
  return names.filter((name) => /^epoch-\d+\.safetensors$/.test(name)).sort();
}

async function parseCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path));
  const under = (prefix: string) =>
    new Map(
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
      ),
    );
  const second = under('second/');
  const moments: AdamWState['moments'] = {};
  for (const [name, first] of under('first/')) {
    moments[name] = { first: toFloat32(first), second: toFloat32(second.get(name) as WeightTensor) };
  }
  return {
    state: JSON.parse(metadata.state as string),
    weights: under('weights/'),
    moments,
    best: under('best/'),
    memory: tensors.get('memory'),
    average: under('average/'),
  };
}
