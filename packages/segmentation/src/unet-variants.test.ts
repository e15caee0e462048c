import { RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareNetwork, readVariant, tensor } from './__fixtures__/unets.js';
import { buildNetwork } from './build-network.js';
import { resizeLinear } from './resize-linear.js';
import { readArchitecture } from './unet-architecture.js';
import { codebookUsage } from './vector-quantisation.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

// 1e-4 as for nnU-Net's own networks: float32 against torch's float64 through 7 to 15 layers. The two nearest vectors of a
// codebook are 2e-3 and more apart, so that rounding chooses no other.
describe.each(['attention-3d', 'attention-2d', 'quantised-3d', 'quantised-2d'])('%s', (name) => {
  const { golden, state } = readVariant(name);
  const { configuration, dataset } = golden;
  compareNetwork(name, { golden, state });

  test('the state dict goes out as it came in, and every gradient of its own parts was compared', () => {
    const network = buildNetwork(configuration, dataset, state);
    expect(network.state()).toEqual(state);
    const own = network.variableNames().filter((key) => /^(attention|quantiser)\./.test(key));
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter((key) => !golden.gradients[key])).toEqual([]);
    network.dispose();
  });
});

test.each(['quantised-3d', 'quantised-2d'])(
  "%s: codes, histogram, perplexity and the codebook's loss are those of torch",
  (name) => {
    const { golden, state } = readVariant(name);
    const expected = golden.quantised!;
    const before = tf.memory().numTensors;
    const network = buildNetwork(golden.configuration, golden.dataset, state);
    tf.tidy(() => {
      const patch = tensor(golden.patch);
      const { codes, codebookSize, encoded } = network.quantisedBottleneck!(patch);
      expect(encoded.shape).toEqual([...expected.codes.shape, network.architecture.features.at(-1)]);
      expect([codes.dtype, codes.shape, codebookSize]).toEqual(['int32', expected.codes.shape, 8]);
      expect([...codes.dataSync()]).toEqual(expected.codes.values);
      const counts = new Float64Array(codebookSize);
      for (const code of codes.dataSync()) counts[code]! += 1;
      const { histogram, perplexity } = codebookUsage(counts);
      histogram.forEach((share, at) => {
        expect(share).toBeCloseTo(expected.histogram[at]!, 6);
      });
      expect(perplexity).toBeCloseTo(expected.perplexity, 5);
      expect(perplexity).toBeGreaterThan(2);
      const { auxiliaryLoss } = network.trainingPass(patch);
      expect(Math.abs(auxiliaryLoss!.dataSync()[0]! / expected.loss - 1)).toBeLessThan(1e-4);
    });
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('an untrained codebook is uniform within 1 / size, and a plain network has none', () => {
  const { golden } = readVariant('quantised-2d');
  const network = buildNetwork(golden.configuration, golden.dataset, new RandomStream(3, 'weights'));
  const before = tf.memory().numTensors;
  const patch = tensor(golden.patch);
  tf.dispose([patch, ...network.deepSupervision(patch)]); // and not the codebook's loss besides
  expect(tf.memory().numTensors).toBe(before);
  const values = [...(network.state().get('quantiser.codebook.weight')!.data as Float32Array)];
  expect(Math.max(...values.map(Math.abs))).toBeLessThan(1 / 8);
  expect(Math.max(...values)).toBeGreaterThan(0.08);
  expect(Math.min(...values)).toBeLessThan(-0.08);
  network.dispose();
  const { golden: gated } = readVariant('attention-2d');
  const other = buildNetwork(gated.configuration, gated.dataset, new RandomStream(3, 'weights'));
  expect(other.quantisedBottleneck).toBeUndefined();
  other.dispose();
});

test('a codebook drawn from a patch is used there, and is the same for the same seed', () => {
  const { golden, state } = readVariant('quantised-2d');
  const before = tf.memory().numTensors;
  const patch = tensor(golden.patch); // 8 positions of the bottleneck, 8 vectors
  const drawn = (seed: number) => {
    const network = buildNetwork(golden.configuration, golden.dataset, state);
    network.startCodebook(patch, new RandomStream(seed, 'codebook'));
    const codes = tf.tidy(() => [...network.quantisedBottleneck!(patch).codes.dataSync()]);
    const started = network.state();
    network.dispose();
    const changed = [...started.keys()].filter((key) =>
      started.get(key)!.data.some((value, at) => value !== state.get(key)!.data[at]),
    );
    expect(changed).toEqual(['quantiser.codebook.weight']);
    return { used: new Set(codes).size, vectors: started.get('quantiser.codebook.weight')!.data };
  };
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(2).vectors).not.toEqual(drawn(1).vectors);
  expect(drawn(1).used).toBeGreaterThan(3);
  patch.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('usage: one vector has perplexity 1, all alike the size, none is no number of anything', () => {
  expect(codebookUsage([0, 5, 0]).perplexity).toBe(1);
  expect(codebookUsage([2, 2, 2, 2]).perplexity).toBeCloseTo(4, 12);
  expect([...codebookUsage([0, 0]).histogram]).toEqual([0, 0]);
});

test('resizing keeps what is linear, and the edge beyond the outermost centres', () => {
  tf.tidy(() => {
    const ramp = tf.tensor([0, 1, 2], [1, 1, 1, 3, 1]) as tf.Tensor5D;
    const values = [...resizeLinear(ramp, [2, 1, 6]).dataSync()];
    const line = [0, 0.25, 0.75, 1.25, 1.75, 2];
    [...line, ...line].forEach((value, at) => {
      expect(values[at]).toBeCloseTo(value, 6);
    });
  });
});

test('networks of ours are known by their full names, with every number in the plans', () => {
  const { architecture } = readVariant('quantised-3d').golden.configuration;
  const named = (network_class_name: string, more: object = {}) => ({
    architecture: { network_class_name, arch_kwargs: { ...architecture!.arch_kwargs, ...more } },
  });
  const ours = architecture!.network_class_name;
  expect(readArchitecture(named(ours)).codebook).toEqual({ size: 8, features: 3, commitment: 0.25 });
  expect(() => readArchitecture(named('somebody.VectorQuantisedUNet'))).toThrow(/the network "somebody/);
  expect(() => readArchitecture(named(ours, { codebook_size: undefined }))).toThrow(/codebook_size/);
  expect(() => readArchitecture(named(ours, { commitment: -1 }))).toThrow(/commitment/);
  const flat = { n_stages: 2, features_per_stage: 4, kernel_sizes: 3, strides: 1, n_conv_per_stage: 1 };
  expect(() =>
    readArchitecture(named('onco_response.AttentionUNet', { ...flat, n_conv_per_stage_decoder: 1 })),
  ).toThrow(/n_stages is 2; an AttentionUNet/);
});
