import { startEngine } from '@onco-response/engine';
import { createVolume, reorient, type Volume } from '@onco-response/volume';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseDataset } from './dataset-labels.js';
import type { SegmentationNetwork } from './network.js';
import { parsePlans, resolveConfiguration } from './plans.js';
import { Segmenter } from './segmenter.js';
import type { SegmenterParts } from './segmenter-options.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

/**
 * A network that needs no training: each output is 16 times the first channel less a limit. At the corners of an image
 * nnU-Net's weights are the smallest number of float16, and logits whole: smaller ones could lose their sign there.
 */
function thresholds(limits: readonly number[], inputChannels = 1): SegmentationNetwork {
  return {
    inputChannels,
    classes: limits.length,
    dimensions: 3,
    divisor: [1, 1, 1],
    forward: (patch) =>
      tf.mul(tf.sub(tf.slice(patch, [0, 0, 0, 0, 0], [-1, -1, -1, -1, 1]), tf.tensor1d([...limits])), 16),
    deepSupervision: () => [],
    bottleneck: (patch) => patch,
    variables: () => [],
    dispose: () => {},
  };
}

const configuration = {
  patch_size: [4, 6, 6],
  spacing: [2, 1, 1],
  normalization_schemes: ['NoNormalization'],
  use_mask_for_norm: [false],
  architecture: {
    network_class_name: 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
    arch_kwargs: {
      n_stages: 1,
      features_per_stage: [4],
      conv_op: 'torch.nn.modules.conv.Conv3d',
      kernel_sizes: [[3, 3, 3]],
      strides: [[1, 1, 1]],
      n_conv_per_stage: [1],
      n_conv_per_stage_decoder: [],
      conv_bias: true,
      norm_op: 'torch.nn.modules.instancenorm.InstanceNorm3d',
      norm_op_kwargs: { eps: 1e-5, affine: true },
      nonlin: 'torch.nn.LeakyReLU',
    },
  },
};

function parts(changes: Partial<SegmenterParts> = {}, plansChanges: object = {}): SegmenterParts {
  const plans = parsePlans({
    transpose_forward: [0, 1, 2],
    transpose_backward: [0, 1, 2],
    configurations: {
      '3d_fullres': configuration,
      cascade: { inherits_from: '3d_fullres', previous_stage: '3d_lowres' },
    },
    ...plansChanges,
  });
  return {
    plans,
    configuration: resolveConfiguration(plans, '3d_fullres'),
    // regions: "bright" above 1 writes label 1, "brighter" above 3 writes label 2 over it
    dataset: parseDataset({
      channel_names: { 0: 'MR' },
      labels: { background: 0, bright: [1, 2], brighter: 2 },
      regions_class_order: [1, 2],
    }),
    networks: [thresholds([1, 3])],
    mirrorAxes: [0, 2],
    description: { configuration: '3d_fullres' },
    ...changes,
  };
}

/** Values 0 to 5 from left to right, on the network's spacing. */
const ramp = createVolume({
  data: Float32Array.from({ length: 9 * 7 * 6 }, (_, at) => (at % 9) * 0.7),
  size: [9, 7, 6],
  spacing: [1, 1, 2],
});
const labelOf = (value: number): number => (value > 3 ? 2 : value > 1 ? 1 : 0);
const expected = [...ramp.data].map(labelOf);

describe('Segmenter', () => {
  it('gives each region its label, reports progress and leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    const progress: string[] = [];
    const mask = await new Segmenter(parts()).segment([ramp], {
      onProgress: ({ stage, done, total }) => progress.push(`${stage} ${done}/${total}`),
    });
    expect([...mask.data]).toEqual(expected);
    expect(progress).toHaveLength(8); // columns without 0: 8 x 7 x 6 voxels in tiles of 6 x 6 x 4, 2 along each axis
    expect(progress.at(-1)).toBe('3d_fullres 8/8');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('transposes there and back', async () => {
    const segmenter = new Segmenter(
      parts({}, { transpose_forward: [2, 0, 1], transpose_backward: [1, 2, 0] }),
    );
    const turned: Volume = { ...ramp, spacing: [2, 1, 1] };
    expect([...(await segmenter.segment([turned])).data]).toEqual(expected);
  });

  it('turns images as the reader of the model does, and the mask back', async () => {
    const segmenter = new Segmenter(parts({}, { image_reader_writer: 'NibabelIOWithReorient' }));
    const volume = reorient(ramp, 'SAL');
    const mask = await segmenter.segment([volume], { probabilities: true });
    expect([...mask.data]).toEqual([...volume.data].map(labelOf));
    const { size, spacing, origin, direction } = volume;
    expect(mask).toMatchObject({ size, spacing, origin, direction });
    const [bright] = mask.probabilities;
    expect(bright).toMatchObject({ name: 'bright', volume: { size, direction } });
    const sure = [...volume.data.keys()].filter((at) => Math.abs(volume.data[at]! - 1) > 0.3);
    for (const at of sure) expect(bright!.volume.data[at]).toBeCloseTo(volume.data[at]! > 1 ? 1 : 0, 1);
  });

  it('averages folds, in one sum too where memory is short', async () => {
    const segmenter = new Segmenter(parts({ networks: [thresholds([0, 2]), thresholds([2, 4])] }));
    const needed = segmenter.estimateMemory([ramp]);
    expect([...(await segmenter.segment([ramp])).data]).toEqual(expected);
    const shared = await segmenter.segment([ramp], { memoryLimit: needed - 1 });
    expect([...shared.data]).toEqual(expected);
  });

  it('keeps the largest component of labels', async () => {
    const data = new Float32Array(10 * 7 * 6);
    for (const [at, value] of [
      [11, 2],
      [12, 2],
      [18, 2],
      [400, 4],
    ] as const)
      data[at] = value;
    const volume = createVolume({ data, size: [10, 7, 6], spacing: [1, 1, 2] });
    const mask = await new Segmenter(parts({ postprocessing: [{ labels: [1, 2] }] })).segment([volume]);
    expect([mask.data[11], mask.data[12], mask.data[18], mask.data[400]]).toEqual([1, 1, 0, 0]);
  });

  it('gives the previous stage of a cascade to the network as one channel a label', async () => {
    const plan = parts();
    const refining: SegmentationNetwork = {
      ...thresholds([0, 0], 3),
      // "bright" where the previous stage said 2, "brighter" nowhere
      forward: (patch) =>
        tf.sub(tf.mul(tf.slice(patch, [0, 0, 0, 0, 2], [-1, -1, -1, -1, 1]), tf.tensor1d([4, 0])), 1),
    };
    const cascade = {
      configuration: resolveConfiguration(plan.plans, 'cascade'),
      networks: [refining],
    };
    const twos = expected.map((label) => (label === 2 ? 1 : 0));
    const whole = new Segmenter(parts({ ...cascade, previous: new Segmenter(parts()) }));
    expect([...(await whole.segment([ramp])).data]).toEqual(twos);
    const alone = new Segmenter(parts(cascade));
    const previous = await new Segmenter(parts()).segment([ramp]);
    expect([...(await alone.segment([ramp], { previous })).data]).toEqual(twos);
    await expect(alone.segment([ramp])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('refines what "3d_lowres" segments'),
    });
  });

  it('refuses what it cannot do', async () => {
    const segmenter = new Segmenter(parts());
    const refuses = (run: Promise<unknown>, code: string): Promise<void> =>
      expect(run).rejects.toMatchObject({ code });
    await refuses(segmenter.segment([ramp, ramp]), 'INVALID_ARGUMENT');
    await refuses(segmenter.segment([ramp], { step: 0 }), 'INVALID_ARGUMENT');
    await refuses(segmenter.segment([ramp], { memoryLimit: 1000 }), 'TOO_LARGE');
    const two = new Segmenter(
      parts({
        dataset: parseDataset({ channel_names: { 0: 'A', 1: 'B' }, labels: { background: 0, a: 1 } }),
      }),
    );
    await refuses(two.segment([ramp, { ...ramp, origin: [0, 0, 1] }]), 'GEOMETRY_MISMATCH');
    const aborted = segmenter.segment([ramp], { signal: AbortSignal.abort(new Error('enough')) });
    await expect(aborted).rejects.toThrow('enough');
    expect(() => new Segmenter(parts({}, { image_reader_writer: 'MyReader' }))).toThrow('reader "MyReader"');
    const loud = new Segmenter(parts({ networks: [thresholds([-1e9, 3])] }));
    await expect(loud.segment([ramp])).rejects.toThrow('gave Infinity as a logit');
  });
});

describe('plans.json and dataset.json', () => {
  it('names what does not fit', () => {
    expect(() => parsePlans({ transpose_forward: [0, 0, 1] })).toThrow('the three axes 0, 1 and 2');
    const plans = parsePlans({
      transpose_forward: [0, 1, 2],
      transpose_backward: [0, 1, 2],
      configurations: { a: { inherits_from: 'b' }, b: { inherits_from: 'a' } },
    });
    expect(() => resolveConfiguration(plans, 'a')).toThrow('"a" inherits from itself');
    expect(() => resolveConfiguration(plans, 'c')).toThrow('no configuration "c" but a, b');
    expect(() => parseDataset({ labels: { background: 0.5 } })).toThrow('dataset.json');
  });
});
