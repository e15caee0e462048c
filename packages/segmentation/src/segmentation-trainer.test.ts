import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RandomStream, startEngine } from '@onco-response/engine';
import { createVolume, IDENTITY, type Mask, type Volume } from '@onco-response/volume';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fastestBackend } from './__fixtures__/fastest-backend.js';
import torchLosses from './__fixtures__/training-steps.json' with { type: 'json' };
import { readGolden } from './__fixtures__/unets.js';
import { countOf, type Shape3 } from './array-shape.js';
import { parseDataset } from './dataset-labels.js';
import { caseFingerprint, datasetFingerprint } from './fingerprint.js';
import { writeNetworkCheckpoint } from './network-checkpoint.js';
import { loadNnUnet } from './node.js';
import { planExperiment } from './plan-experiment.js';
import { type NnUnetConfiguration, resolveConfiguration } from './plans.js';
import { SegmentationTrainer, type SegmentationTrainerState } from './segmentation-trainer.js';
import { Segmenter } from './segmenter.js';
import { prepareTrainingCase, type TrainingCases } from './training-case.js';
import { validateNetwork } from './validate-network.js';

beforeAll(() => startEngine(fastestBackend), 60_000);

const dataset = parseDataset({
  channel_names: { 0: 'CT' },
  labels: { background: 0, lesion: 1 },
  numTraining: 4,
  file_ending: '.nii.gz',
});

/** Synthetic: a bright ball in noise. */
function ball(seed: number): { volume: Volume; mask: Mask } {
  const random = new RandomStream(seed, 'ball');
  const size = [14, 13, 12] as const;
  const centre = size.map((n) => n / 2 + 2 * random.uniform() - 1);
  const [image, labels] = [new Int16Array(14 * 13 * 12), new Uint8Array(14 * 13 * 12)];
  image.forEach((_, at) => {
    const place = [at % 14, Math.floor(at / 14) % 13, Math.floor(at / 182)];
    const inside = place.reduce((sum, v, axis) => sum + (v - centre[axis]!) ** 2, 0) < 12;
    labels[at] = inside ? 1 : 0;
    image[at] = (inside ? 300 : 100) + 30 * random.normal();
  });
  const grid = { size, spacing: [1, 1, 1.1], origin: [0, 0, 0], direction: IDENTITY } as const;
  return { volume: createVolume({ ...grid, data: image }), mask: createVolume({ ...grid, data: labels }) };
}

const balls = [0, 1, 2, 3].map(ball);
const fingerprint = datasetFingerprint(balls.map(({ volume, mask }) => caseFingerprint([volume], mask)));
const plans = planExperiment(fingerprint, dataset, { featuresBase: 4, maxFeatures: 8 });
const configuration = (name: string, more: object): NnUnetConfiguration => ({
  ...resolveConfiguration(plans, name),
  ...more,
});
const full = configuration('3d_fullres', { patch_size: [8, 8, 8], batch_size: 2, batch_dice: true });
const prepared = balls.map(({ volume, mask }) => prepareTrainingCase([volume], mask, plans, full, dataset));
const cases: TrainingCases = { count: 3, load: async (index) => prepared[index]! };

/** A folder as `loadNnUnet` reads it. */
async function writeModel(trainer: SegmentationTrainer, planned: NnUnetConfiguration): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onco-train-'));
  await mkdir(join(folder, 'fold_0'));
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
  await writeFile(
    join(folder, 'plans.json'),
    JSON.stringify({ ...plans, configurations: { '3d_fullres': planned } }),
  );
  await writeFile(
    join(folder, 'fold_0', 'checkpoint_final.safetensors'),
    writeNetworkCheckpoint({
      weights: trainer.network.state(),
      configuration: '3d_fullres',
      trainer: 'SegmentationTrainer',
      mirrorAxes: trainer.mirrorAxes,
    }),
  );
  return folder;
}

test('a few steps learn a bright ball, the checkpoint segments it, and nothing leaks', async () => {
  const before = tf.memory().numTensors;
  const trainer = new SegmentationTrainer({
    configuration: full,
    dataset,
    cases,
    epochs: 6,
    stepsPerEpoch: 3,
    seed: 3,
    learningRate: 0.02,
    momentum: 0.9,
  });
  const losses: number[] = [];
  const rates = new Set<number>();
  while (!trainer.isDone) {
    rates.add(trainer.learningRate);
    losses.push(await trainer.step());
  }
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(losses.slice(-3))).toBeLessThan(mean(losses.slice(0, 3)) - 0.5);
  expect([...rates]).toEqual([0, 1, 2, 3, 4, 5].map((epoch) => 0.02 * (1 - epoch / 6) ** 0.9));
  const all: TrainingCases = { count: 4, load: async (index) => prepared[index]! };
  const { meanDice } = await validateNetwork(trainer.network, full.patch_size as unknown as Shape3, all, [3]);
  expect(meanDice).toBeGreaterThan(0.7); // a case that it was not trained on

  const folder = await writeModel(trainer, full);
  trainer.dispose();
  const segmenter = await loadNnUnet(folder);
  expect(segmenter.description).toMatchObject({ folds: [0], mirrorAxes: [0, 1, 2] });
  const { data } = await segmenter.segment([balls[3]!.volume], { mirror: false });
  const wanted = balls[3]!.mask.data;
  const both = data.reduce((sum, label, at) => sum + (label & wanted[at]!), 0);
  const either = data.reduce((sum, label, at) => sum + label + wanted[at]!, 0);
  expect(Math.abs((2 * both) / either - meanDice)).toBeLessThan(0.1); // on the image's own grid
  segmenter.dispose();
  await rm(folder, { recursive: true });
  expect(tf.memory().numTensors).toBe(before);
}, 60_000);

test.each([
  ['3d_fullres', [8, 8, 8]],
  ['2d', [8, 8]],
] as const)(
  '%s: taken up again in the middle, training ends with the same bytes',
  async (name, patch) => {
    const before = tf.memory().numTensors;
    const small = configuration(name, { patch_size: patch, batch_size: 2 });
    const run = async (stopAt: number | null): Promise<SegmentationTrainerState> => {
      const options = { configuration: small, dataset, cases, epochs: 3, stepsPerEpoch: 2, seed: 5 };
      let trainer = new SegmentationTrainer(options);
      while (!trainer.isDone) {
        if (trainer.stepsDone === stopAt) {
          const state = await trainer.state();
          trainer.dispose();
          trainer = new SegmentationTrainer(options, state);
        }
        await trainer.step();
      }
      const state = await trainer.state();
      trainer.dispose();
      return state;
    };
    expect(await run(3)).toEqual(await run(null));
    expect(tf.memory().numTensors).toBe(before);
  },
  60_000,
);

test.each([
  ['attentionUnet', 'onco_response.AttentionUNet'],
  ['vectorQuantisedUnet', 'onco_response.VectorQuantisedUNet'],
] as const)(
  '%s: eight steps learn, resume to the same bytes, and the saved model segments as the trained one',
  async (architecture, className) => {
    const before = tf.memory().numTensors;
    const made = planExperiment(fingerprint, dataset, {
      featuresBase: 4,
      maxFeatures: 8,
      architecture,
      codebook: { size: 16, features: 4 },
    });
    const { network_class_name, arch_kwargs } = resolveConfiguration(made, '3d_fullres').architecture!;
    const planned = configuration('3d_fullres', {
      patch_size: [8, 8, 8],
      batch_size: 2,
      architecture: {
        network_class_name,
        arch_kwargs: {
          ...arch_kwargs,
          n_stages: 3,
          features_per_stage: [4, 8, 8],
          kernel_sizes: 3,
          strides: [1, 2, 2].map((step) => [step, step, step]),
          n_conv_per_stage: 1,
          n_conv_per_stage_decoder: 1,
        },
      },
    });
    const options = {
      configuration: planned,
      dataset,
      cases,
      epochs: 4,
      stepsPerEpoch: 2,
      seed: 3,
      learningRate: 0.05,
      momentum: 0.9,
      augment: false,
    };
    const trainer = new SegmentationTrainer(options);
    expect(trainer.network.architecture.attention).toBe(architecture === 'attentionUnet');
    const codebook = { size: 16, features: 4, commitment: 0.25 };
    expect(trainer.network.architecture.codebook).toEqual(
      architecture === 'attentionUnet' ? undefined : codebook,
    );
    const initial = trainer.network.state();
    const losses: number[] = [];
    let middle: SegmentationTrainerState | undefined;
    while (!trainer.isDone) {
      if (trainer.stepsDone === 3) middle = await trainer.state();
      losses.push(await trainer.step());
    }
    expect(losses[6]! + losses[7]!).toBeLessThan(losses[0]! + losses[1]! - 0.3);
    const done = await trainer.state();
    const own = [...initial.keys()].filter((name) => /^(attention|quantiser)\./.test(name));
    const trained = own.filter((name) => !name.endsWith('conv.bias')); // a norm follows: not trained
    expect(trained.filter((name) => same(initial, done.weights, name))).toEqual([]);

    const resumed = new SegmentationTrainer(options, middle);
    while (!resumed.isDone) await resumed.step();
    expect(await resumed.state()).toEqual(done);
    resumed.dispose();

    const folder = await writeModel(trainer, planned);
    const [{ volume }] = [balls[3]!];
    const segmenter = await loadNnUnet(folder);
    expect(segmenter.description.network).toBe(className);
    const fromTrainer = new Segmenter({
      plans,
      configuration: planned,
      dataset,
      networks: [trainer.network],
      mirrorAxes: [0, 1, 2],
      description: {},
    });
    const [loaded, direct] = [segmenter, fromTrainer].map((each) =>
      each.segment([volume], { mirror: false }),
    );
    expect(await loaded).toEqual(await direct);
    const { features, codebook: usage } = await segmenter.bottleneckFeatures([volume]);
    expect(features).toHaveLength(architecture === 'attentionUnet' ? 8 : 4);
    expect(usage?.histogram.length).toBe(architecture === 'attentionUnet' ? undefined : 16);
    segmenter.dispose();
    trainer.dispose();
    await rm(folder, { recursive: true });
    expect(tf.memory().numTensors).toBe(before);
  },
  60_000,
);

const same = (
  a: SegmentationTrainerState['weights'],
  b: SegmentationTrainerState['weights'],
  name: string,
): boolean => String(a.get(name)!.data) === String(b.get(name)!.data);

describe.each(['plain-2d', 'plain-3d', 'residual-3d'] as const)('%s', (name) => {
  test("eight steps have the losses of nnU-Net's loss, torch's SGD, clipping and the polynomial rate", async () => {
    const { golden, state } = readGolden(name);
    const own = golden.configuration as unknown as NnUnetConfiguration;
    const shape = [1, ...own.patch_size].slice(-3) as unknown as Shape3;
    const labels = Uint8Array.from({ length: countOf(shape) }, (_, at) => Math.floor((at % 7) / 3));
    const channels = Object.keys(golden.dataset.channel_names!).map((_, channel) =>
      Float32Array.from(labels, (label, at) => label + Math.sin(1.7 * at + channel)),
    );
    const pattern: TrainingCases = { count: 1, load: async () => ({ shape, labels, channels }) };
    const trainer = new SegmentationTrainer(
      {
        configuration: { ...own, batch_size: 2 },
        dataset: golden.dataset,
        cases: pattern,
        epochs: 4,
        stepsPerEpoch: 2,
        learningRate: 0.02,
        foregroundShare: 0,
        augment: false,
      },
      { step: 0, weights: new Map(state), velocities: new Map() },
    );
    for (const expected of torchLosses[name]) {
      expect(Math.abs((await trainer.step()) - expected)).toBeLessThan(1e-4); // float32 on both sides, each step on the last
    }
    trainer.dispose();
  }, 30_000);
});

test('what cannot be trained is refused by name', () => {
  const regions = parseDataset({
    channel_names: { 0: 'CT' },
    labels: { background: 0, whole: [1, 2], core: 2 },
    regions_class_order: [1, 2],
  });
  expect(() => new SegmentationTrainer({ configuration: full, dataset: regions, cases })).toThrow(
    /without regions/,
  );
  const { volume, mask } = balls[0]!;
  const strange = { ...mask, data: mask.data.map((label) => label * 2) };
  expect(() => prepareTrainingCase([volume], strange, plans, full, dataset)).toThrow(
    /the label 2; .* 0 to 1/,
  );
});
