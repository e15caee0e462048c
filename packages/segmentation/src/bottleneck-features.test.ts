import { RandomStream, startEngine } from '@onco-response/engine';
import { createVolume } from '@onco-response/volume';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readVariant } from './__fixtures__/unets.js';
import { buildNetwork } from './build-network.js';
import { parseDataset } from './dataset-labels.js';
import type { SegmentationNetwork } from './network.js';
import { parsePlans, resolveConfiguration } from './plans.js';
import { Segmenter } from './segmenter.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

/** Two features at each 2 x 2 x 2 voxels: the mean of the image, and 1. The codes are 1 where that mean is above 4. */
const blockMeans: SegmentationNetwork = {
  inputChannels: 1,
  classes: 2,
  dimensions: 3,
  divisor: [2, 2, 2],
  forward: (patch) => tf.concat([tf.zerosLike(patch), tf.sub(tf.mul(patch, 16), 80)], -1), // lesion above 5
  deepSupervision: () => [],
  bottleneck: (patch) => blockMeans.quantisedBottleneck!(patch).features,
  quantisedBottleneck: (patch) => {
    const mean = tf.avgPool3d(patch as tf.Tensor5D, 2, 2, 'valid');
    return {
      features: tf.concat([mean, tf.onesLike(mean)], -1),
      encoded: tf.mul(mean, 10),
      codes: tf.cast(tf.squeeze(tf.greater(mean, 4), [-1]), 'int32'),
      codebookSize: 3,
    };
  },
  variables: () => [],
  dispose: () => {},
};

const { configuration: planned } = readVariant('quantised-3d').golden;

function segmenterOf(
  network: SegmentationNetwork,
  patch = [4, 4, 4],
  reader = 'SimpleITKIO',
  networks = [network],
): Segmenter {
  const plans = parsePlans({
    transpose_forward: [0, 1, 2],
    transpose_backward: [0, 1, 2],
    image_reader_writer: reader,
    configurations: {
      own: {
        ...planned,
        patch_size: patch,
        spacing: [1, 1, 1],
        normalization_schemes: ['NoNormalization'],
        use_mask_for_norm: [false],
      },
    },
  });
  return new Segmenter({
    plans,
    configuration: resolveConfiguration(plans, 'own'),
    dataset: parseDataset({ channel_names: { 0: 'MR' }, labels: { background: 0, lesion: 1 } }),
    networks,
    mirrorAxes: [],
    description: { configuration: 'own' },
  });
}

/** 12 x 8 x 6 voxels that are alike in blocks of two: 1 to 6 from left to right. */
const steps = createVolume({
  data: Float32Array.from({ length: 12 * 8 * 6 }, (_, at) => 1 + ((at % 12) >> 1)),
  size: [12, 8, 6],
  spacing: [1, 1, 1],
});
const maskOf = (inside: (x: number) => boolean) =>
  createVolume({ ...steps, data: Uint8Array.from(steps.data, (_, at) => (inside(at % 12) ? 1 : 0)) });

describe('pooled over a case', () => {
  test('every voxel counts once, however tiles overlap; the codebook over the same voxels', async () => {
    const before = tf.memory().numTensors;
    for (const step of [1, 0.5]) {
      const found = await segmenterOf(blockMeans).bottleneckFeatures([steps], { step });
      expect(found.pooling).toBe('mean');
      expect(found.features[0]).toBeCloseTo(3.5, 5);
      expect(found.features[1]).toBeCloseTo(1, 6);
      expect(found.codebook!.histogram[1]).toBeCloseTo(1 / 3, 6); // 5 and 6 of 1 to 6
      expect(found.codebook!.histogram[2]).toBe(0);
      const [a, b] = [1 / 3, 2 / 3];
      expect(found.codebook!.perplexity).toBeCloseTo(Math.exp(-a * Math.log(a) - b * Math.log(b)), 5);
    }
    const encoded = await segmenterOf(blockMeans).bottleneckFeatures([steps], { features: 'encoded' });
    expect([...encoded.features].map((value) => value.toFixed(3))).toEqual(['35.000']);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('what is added around a small image does not count', async () => {
    const { features } = await segmenterOf(blockMeans, [10, 12, 16]).bottleneckFeatures([steps]);
    expect(features[0]).toBeCloseTo(3.5, 5);
    expect(features[1]).toBeCloseTo(1, 6);
  });

  test('over a mask, by its voxels in each block; an empty one is said and left out', async () => {
    const segmenter = segmenterOf(blockMeans);
    const pooled = (inside: (x: number) => boolean) =>
      segmenter.bottleneckFeatures([steps], { pooling: 'maskedMean', mask: maskOf(inside) });
    const part = await pooled((x) => x >= 3 && x < 6); // one voxel of the 2s, two of the 3s
    expect(part.pooling).toBe('maskedMean');
    expect(part.features[0]).toBeCloseTo(8 / 3, 5);
    expect(part.codebook!.perplexity).toBe(1);
    const none = await pooled(() => false);
    expect([none.pooling, none.features[0]!.toFixed(4)]).toEqual(['mean', '3.5000']);
    const turned = await segmenterOf(blockMeans, [4, 4, 4], 'NibabelIOWithReorient').bottleneckFeatures(
      [steps],
      { pooling: 'maskedMean', mask: maskOf((x) => x < 2) },
    );
    expect(turned.features[0]).toBeCloseTo(1, 5);
  });

  test('without a mask, over what the model segments', async () => {
    const stages: string[] = [];
    const found = await segmenterOf(blockMeans).bottleneckFeatures([steps], {
      pooling: 'maskedMean',
      onProgress: ({ stage }) => stages.push(stage),
    });
    expect([found.pooling, found.features[0]!.toFixed(4)]).toEqual(['maskedMean', '6.0000']);
    expect([...new Set(stages)]).toEqual(['own', 'bottleneck']);
  });

  test('several folds, a mask elsewhere and a step of 0 are refused', async () => {
    const segmenter = segmenterOf(blockMeans);
    const folds = segmenterOf(blockMeans, [4, 4, 4], 'SimpleITKIO', [blockMeans, blockMeans]);
    await expect(folds.bottleneckFeatures([steps])).rejects.toThrow('folds: [0]');
    await expect(segmenter.bottleneckFeatures([steps], { step: 0 })).rejects.toThrow('(0, 1]');
    const elsewhere = { ...maskOf(() => true), origin: [0, 0, 1] } as const;
    await expect(
      segmenter.bottleneckFeatures([steps], { pooling: 'maskedMean', mask: elsewhere }),
    ).rejects.toMatchObject({ code: 'GEOMETRY_MISMATCH' });
  });
});

test.each(['attention-3d', 'attention-2d', 'quantised-3d', 'quantised-2d'])(
  '%s: of an image as large as one tile, the mean of its bottleneck',
  async (name) => {
    const { golden, state } = readVariant(name);
    const before = tf.memory().numTensors;
    const { configuration, dataset } = golden;
    const network = buildNetwork(configuration, dataset, state);
    const [random, sides] = [new RandomStream(5, 'image'), configuration.patch_size];
    const [depth, height, width] = [1, ...sides].slice(-3) as [number, number, number];
    const channels = Object.keys(dataset.channel_names!);
    const images = channels.map(() =>
      Float32Array.from({ length: depth * height * width }, () => random.normal()),
    );
    const plans = parsePlans({
      transpose_forward: [0, 1, 2],
      transpose_backward: [0, 1, 2],
      configurations: {
        own: {
          ...configuration,
          spacing: sides.map(() => 1),
          normalization_schemes: channels.map(() => 'NoNormalization'),
          use_mask_for_norm: channels.map(() => false),
        },
      },
    });
    const own = resolveConfiguration(plans, 'own');
    const segmenter = new Segmenter({
      plans,
      configuration: own,
      dataset,
      networks: [network],
      mirrorAxes: [],
      description: {},
    });
    const volumes = images.map((data) =>
      createVolume({ data, size: [width, height, depth], spacing: [1, 1, 1] }),
    );
    const { features, codebook } = await segmenter.bottleneckFeatures(volumes);
    const expected = tf.tidy(() => {
      const stacked = tf.stack(
        images.map((data) => tf.tensor(data, [1, ...sides])),
        -1,
      );
      const bottleneck = network.bottleneck(stacked);
      return tf.mean(bottleneck, bottleneck.shape.map((_, axis) => axis).slice(0, -1)).dataSync();
    });
    expect(features).toHaveLength(expected.length);
    features.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at]!, 5);
    });
    expect(codebook === undefined).toBe(name.startsWith('attention'));
    segmenter.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);
