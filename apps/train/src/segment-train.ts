import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '@onco-response/command-line/node';
import { RandomStream } from '@onco-response/engine';
import {
  SegmentationTrainer,
  type SegmentationTrainerState,
  type TrainingCases,
  validateNetwork,
  writeNetworkCheckpoint,
} from '@onco-response/segmentation';
import { readSafetensors, type WeightTensor, writeSafetensors } from '@onco-response/weights';
import { type SegmentPlans, stop } from './segment-prepare.js';
import type { SegmentStudy } from './segment-study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** One row of the training curve. */
export interface SegmentEpoch {
  readonly epoch: number;
  readonly loss: number;
  readonly learningRate: number;
  /** On whole validation cases; null in epochs without validation. */
  readonly validationDice: number | null;
}

export interface SegmentTraining {
  readonly history: readonly SegmentEpoch[];
  readonly best: { readonly epoch: number; readonly dice: number } | null;
  /** Over all processes that took part. */
  readonly seconds: number;
}

interface SavedState extends SegmentTraining {
  /** Of study, cohort and plans: a checkpoint of anything else is refused. */
  readonly identity: string;
  readonly step: number;
  /** Sum of the losses of this epoch's steps so far. */
  readonly lossSum: number;
}

/** A state is also saved within an epoch that takes longer than this. */
const SAVE_EVERY_MS = 5 * 60_000;

/**
 * Trains to the end, from `checkpoint.safetensors` where there is one. The folder `model` is one that `loadNnUnet` reads:
 * plans.json, dataset.json, fold_0/checkpoint_final.safetensors and checkpoint_best.safetensors. A process killed at any
 * moment leaves a state from which the same command ends with the same bytes.
 * @throws TrainError STUDY_CHANGED, INTERRUPTED; SegmentationError DIVERGED
 */
export async function trainSegmentation({
  out,
  study,
  planned,
  cases,
  validation,
  identity,
  interrupted,
}: {
  out: string;
  study: SegmentStudy;
  planned: SegmentPlans;
  cases: TrainingCases;
  validation: TrainingCases;
  identity: string;
  interrupted: () => boolean;
}): Promise<SegmentTraining> {
  const {
    epochs,
    stepsPerEpoch,
    validateEvery,
    validationCases,
    cacheBytes: _cache,
    ...rates
  } = study.training;
  const { configuration, dataset, plans } = planned;
  const path = join(out, 'checkpoint.safetensors');
  const saved = await readState(path, identity);
  await writeOutput(join(out, 'model', 'plans.json'), json(plans));
  await writeOutput(join(out, 'model', 'dataset.json'), json(dataset));
  const trainer = new SegmentationTrainer(
    { configuration, dataset, cases, seed: study.seed, epochs, stepsPerEpoch, ...rates },
    saved?.trainer,
  );
  const indices = new RandomStream(study.seed, 'segmentation/validation')
    .shuffle(Array.from({ length: validation.count }, (_, index) => index))
    .slice(0, validationCases);
  const patch = configuration.patch_size;
  const tile = (patch.length === 2 ? [1, ...patch] : patch) as [number, number, number];
  let history = saved?.state.history ?? [];
  let best = saved?.state.best ?? null;
  let lossSum = saved?.state.lossSum ?? 0;
  const before = saved?.state.seconds ?? 0;
  const started = performance.now();
  let lastSaved = started;
  const save = async (): Promise<void> => {
    const seconds = before + (performance.now() - started) / 1000;
    lastSaved = performance.now();
    await writeState(
      path,
      { identity, step: trainer.stepsDone, lossSum, history, best, seconds },
      await trainer.state(),
    );
  };
  const writeModel = (name: 'final' | 'best'): Promise<void> =>
    writeOutput(
      join(out, 'model', 'fold_0', `checkpoint_${name}.safetensors`),
      writeNetworkCheckpoint({
        weights: trainer.network.state(),
        configuration: study.plan.configuration,
        trainer: 'onco-train segment',
        mirrorAxes: trainer.mirrorAxes,
      }),
    );
  const progress = new Progress('training', trainer.totalSteps - trainer.stepsDone);
  try {
    while (!trainer.isDone) {
      if (interrupted()) {
        await save();
        stop(`after step ${trainer.stepsDone} of ${trainer.totalSteps}`);
      }
      const learningRate = trainer.learningRate;
      lossSum += await trainer.step();
      const { epoch } = trainer;
      const inEpoch = trainer.stepsDone % stepsPerEpoch;
      if (inEpoch === 0) {
        const validates = epoch % validateEvery === 0 || epoch === epochs;
        const validationDice = validates
          ? (await validateNetwork(trainer.network, tile, validation, indices)).meanDice
          : null;
        history = [...history, { epoch, loss: lossSum / stepsPerEpoch, learningRate, validationDice }];
        lossSum = 0;
        if (validationDice !== null && validationDice > (best?.dice ?? -1)) {
          best = { epoch, dice: validationDice };
          await writeModel('best'); // before the state that knows of it
        }
        await writeOutput(join(out, 'history.json'), json(history));
        await save();
      } else if (performance.now() - lastSaved > SAVE_EVERY_MS) await save();
      const latest = history.at(-1);
      const dice = history.findLast((each) => each.validationDice !== null)?.validationDice;
      progress.advance(
        1,
        latest
          ? `epoch ${epoch}, loss ${latest.loss.toFixed(3)}${dice == null ? '' : `, validation Dice ${dice.toFixed(3)}`}`
          : '',
      );
    }
    await writeModel('final');
    return { history, best, seconds: before + (performance.now() - started) / 1000 };
  } finally {
    progress.stop();
    trainer.dispose();
  }
}

async function writeState(path: string, state: SavedState, trainer: SegmentationTrainerState): Promise<void> {
  const tensors = new Map<string, WeightTensor>();
  for (const [name, tensor] of trainer.weights) tensors.set(`weights/${name}`, tensor);
  for (const [name, tensor] of trainer.velocities) tensors.set(`velocities/${name}`, tensor);
  await writeOutput(path, writeSafetensors(tensors, { state: JSON.stringify(state) }));
}

async function readState(
  path: string,
  identity: string,
): Promise<{ state: SavedState; trainer: SegmentationTrainerState } | undefined> {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = readSafetensors(await readFile(path));
  const state = JSON.parse(metadata.state as string) as SavedState;
  if (state.identity !== identity) {
    throw new TrainError({
      code: 'STUDY_CHANGED',
      message: `${path} is of another study, cohort or plan: give another --out, or remove it to start again`,
    });
  }
  const under = (prefix: string): Map<string, WeightTensor> =>
    new Map(
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      ),
    );
  return {
    state,
    trainer: { step: state.step, weights: under('weights/'), velocities: under('velocities/') },
  };
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
