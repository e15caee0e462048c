import { clipByGlobalNorm, RandomStream, Sgd } from '@onco-response/engine';
import { toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { countOf, type Shape3 } from './array-shape.js';
import { buildNetwork } from './build-network.js';
import type { NnUnetDataset } from './dataset-labels.js';
import type { NnUnetConfiguration } from './plans.js';
import { SegmentationError } from './segmentation-error.js';
import { type BatchOptions, downsampleLabels, drawBatch } from './training-batch.js';
import { type TrainingCases, trainableClasses } from './training-case.js';
import { deepSupervisionLoss, deepSupervisionWeights } from './training-losses.js';
import type { TrainingPatch } from './training-patch.js';
import type { UNet } from './unet.js';

export interface SegmentationTrainerOptions {
  readonly configuration: NnUnetConfiguration & {
    readonly batch_size?: number;
    readonly batch_dice?: boolean;
  };
  readonly dataset: NnUnetDataset;
  readonly cases: TrainingCases;
  /** Of the initial weights and of every patch. Default 0. */
  readonly seed?: number;
  /** The learning rate falls to 0 over them, once each. Default nnU-Net's 1000 of 250 steps. */
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Default 0.01. */
  readonly learningRate?: number;
  /** Default 0.99, with Nesterov's step. */
  readonly momentum?: number;
  /** Default 3e-5. */
  readonly weightDecay?: number;
  /** Default 0.33. */
  readonly foregroundShare?: number;
  /** Default true. */
  readonly augment?: boolean;
  /**
   * Of a vector-quantised network: the codebook begins as features of the first batch, or uniform within 1 / size as the
   * reference's. Default 'firstBatch', of which more vectors are used with this optimiser: the README has numbers.
   */
  readonly codebookStart?: 'firstBatch' | 'uniform' | undefined;
}

/** What `resume` goes on from, bit for bit. */
export interface SegmentationTrainerState {
  /** Steps taken. */
  readonly step: number;
  readonly weights: ReadonlyMap<string, WeightTensor>;
  /** The optimiser's, by the names of the weights. */
  readonly velocities: ReadonlyMap<string, WeightTensor>;
}

/** Gradients are scaled down to this norm: nnU-Net's. */
const MAX_NORM = 12;
const POLY_EXPONENT = 0.9;

/**
 * Trains a network as nnU-Net's trainer: Dice and cross-entropy with deep supervision, SGD with Nesterov momentum 0.99,
 * weight decay 3e-5, a polynomial learning rate, a third of the patches around lesions; and with the loss of a
 * vector-quantised network's codebook. One call of `step` at a time.
 *
 * @example
 * const trainer = new SegmentationTrainer({ configuration, dataset, cases, epochs: 50, stepsPerEpoch: 20 });
 * while (!trainer.isDone) console.log(await trainer.step());
 */
export class SegmentationTrainer {
  readonly network: UNet;
  readonly totalSteps: number;
  /** Axes along which patches are mirrored: all of them. */
  readonly mirrorAxes: readonly number[];
  readonly #optimizer: Sgd;
  readonly #batch: BatchOptions;
  readonly #options: SegmentationTrainerOptions;
  #step: number;

  /**
   * @param resume a state that `state` gave with the same options
   * @throws SegmentationError UNSUPPORTED for regions and cascades; WEIGHTS_MISMATCH for a state of another network
   */
  constructor(options: SegmentationTrainerOptions, resume?: SegmentationTrainerState) {
    const { configuration, dataset, cases, seed = 0, epochs = 1000, stepsPerEpoch = 250 } = options;
    const { learningRate = 0.01, momentum = 0.99, weightDecay = 3e-5 } = options;
    trainableClasses(dataset);
    if (configuration.previous_stage) {
      throw new SegmentationError({
        code: 'UNSUPPORTED',
        message: `The second stage of a cascade (after "${configuration.previous_stage}") cannot be trained here: train 3d_fullres or 3d_lowres.`,
      });
    }
    const sides = configuration.patch_size;
    this.#options = options;
    this.totalSteps = epochs * stepsPerEpoch;
    this.mirrorAxes = sides.map((_, axis) => axis);
    this.#batch = {
      cases,
      patch: (sides.length === 2 ? [1, ...sides] : sides) as unknown as Shape3,
      batchSize: configuration.batch_size ?? 2,
      foregroundShare: options.foregroundShare ?? 0.33,
      augment: options.augment ?? true,
      mirrorAxes: this.mirrorAxes.map((axis) => axis + 3 - sides.length),
    };
    this.network = buildNetwork(configuration, dataset, resume?.weights ?? new RandomStream(seed, 'weights'));
    this.#optimizer = new Sgd({ learningRate, momentum, weightDecay });
    this.#step = resume?.step ?? 0;
    if (resume) this.#restoreVelocities(resume.velocities);
  }

  /** Steps taken. */
  get stepsDone(): number {
    return this.#step;
  }

  /** Whole epochs behind it. */
  get epoch(): number {
    return Math.floor(this.#step / (this.#options.stepsPerEpoch ?? 250));
  }

  get isDone(): boolean {
    return this.#step >= this.totalSteps;
  }

  /** Of the next step; constant within an epoch, as nnU-Net's. */
  get learningRate(): number {
    const { epochs = 1000, learningRate = 0.01 } = this.#options;
    return learningRate * (1 - Math.min(this.epoch, epochs) / epochs) ** POLY_EXPONENT;
  }

  /**
   * Draws a batch and takes one step.
   * @returns the loss before the step
   * @throws SegmentationError DIVERGED
   */
  async step(): Promise<number> {
    const patches = await drawBatch(this.#batch, this.#options.seed ?? 0, this.#step);
    this.#optimizer.learningRate = this.learningRate;
    const loss = tf.tidy(() => {
      const image = this.#imageTensor(patches);
      const targets = this.#targetTensors(patches);
      if (this.#step === 0 && this.#options.codebookStart !== 'uniform')
        this.network.startCodebook(image, new RandomStream(this.#options.seed ?? 0, 'codebook'));
      const { value, grads } = tf.variableGrads(() => {
        const { logits, auxiliaryLoss } = this.network.trainingPass(image);
        const loss = deepSupervisionLoss(logits, targets, {
          batchDice: this.#options.configuration.batch_dice ?? false,
        });
        return auxiliaryLoss ? tf.add(loss, auxiliaryLoss) : loss;
      }, this.network.variables());
      this.#optimizer.applyGradients(clipByGlobalNorm(grads, MAX_NORM).gradients);
      return value;
    });
    const [found] = await loss.data();
    loss.dispose();
    this.#step++;
    if (!Number.isFinite(found)) {
      throw new SegmentationError({
        code: 'DIVERGED',
        message: `The loss of step ${this.#step} is ${found}: train with a lower learning rate, and check the images for values that are no numbers.`,
      });
    }
    return found!;
  }

  /** Everything that another trainer of the same options needs to go on from here bit for bit. */
  async state(): Promise<SegmentationTrainerState> {
    const byVariable = await this.#optimizer.state();
    const names = this.network.variableNames();
    const velocities = new Map<string, WeightTensor>();
    for (const [index, variable] of this.network.variables().entries()) {
      const data = byVariable[variable.name];
      if (data) velocities.set(names[index]!, { dtype: 'F32', shape: [data.length], data });
    }
    return { step: this.#step, weights: this.network.state(), velocities };
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.network.dispose();
  }

  #restoreVelocities(velocities: ReadonlyMap<string, WeightTensor>): void {
    const names = this.network.variableNames();
    const byVariable = this.network.variables().flatMap((variable, index) => {
      const found = velocities.get(names[index]!);
      return found ? [[variable.name, toFloat32(found)] as const] : [];
    });
    try {
      this.#optimizer.restore(Object.fromEntries(byVariable));
    } catch (cause) {
      this.dispose();
      throw new SegmentationError({
        code: 'WEIGHTS_MISMATCH',
        message: `The saved optimiser is of another network: ${(cause as Error).message}.`,
        cause,
      });
    }
  }

  /** [B, (d,) h, w, channels] */
  #imageTensor(patches: readonly TrainingPatch[]): tf.Tensor {
    const joined = new Float32Array(patches.length * patches[0]!.image.length);
    for (const [index, { image }] of patches.entries()) joined.set(image, index * image.length);
    return tf.tensor(joined, [
      patches.length,
      ...this.#options.configuration.patch_size,
      this.network.inputChannels,
    ]);
  }

  /** int32 [B, (d,) h, w] for every resolution that weighs anything, the finest first. */
  #targetTensors(patches: readonly TrainingPatch[]): tf.Tensor[] {
    const { strides } = this.network.architecture;
    const { patch } = this.#batch;
    const factors: [number, number, number] = [1, 1, 1];
    return deepSupervisionWeights(strides.length - 1).flatMap((weight, level) => {
      for (const axis of [0, 1, 2] as const) factors[axis] *= strides[level]![axis]!;
      if (weight === 0) return [];
      const sizes = patch.map((side, axis) => side / factors[axis]!);
      const joined = new Int32Array(patches.length * countOf(sizes));
      for (const [index, { labels }] of patches.entries()) {
        joined.set(downsampleLabels(labels, patch, factors), index * countOf(sizes));
      }
      const shape = [patches.length, ...sizes.slice(3 - this.network.dimensions)];
      return [tf.tensor(joined, shape, 'int32')];
    });
  }
}
