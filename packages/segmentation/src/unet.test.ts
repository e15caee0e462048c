import { RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareNetwork, readGolden } from './__fixtures__/unets.js';
import { buildNetwork } from './build-network.js';

beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});

describe.each(['plain-2d', 'plain-3d', 'residual-2d', 'residual-3d'])('%s', (name) => {
  const { golden, checkpoint, state } = readGolden(name);
  const { configuration, dataset } = golden;

  compareNetwork(name);

  test('the state dict goes out as it came in, without its copies', () => {
    const network = buildNetwork(configuration, dataset, state);
    const written = network.state();
    for (const [key, { shape, data }] of written) {
      expect([key, shape]).toEqual([key, state.get(key)?.shape]);
      expect(data).toEqual(state.get(key)?.data);
    }
    network.dispose();
    const again = buildNetwork(configuration, dataset, written);
    expect(again.variables().length).toBe(network.variables().length);
    again.dispose();
  });

  test('what nnU-Net stores beside the weights is read, numpy scalars included', () => {
    const value = checkpoint.value as Map<string, unknown>;
    expect(value.get('_best_ema')).toBe(0.5);
    expect(value.get('logging')).toEqual(
      new Map<string, unknown>([
        ['mean_fg_dice', [0.5]],
        ['train_losses', [-0.25]],
        ['epoch', 3],
      ]),
    );
    expect(value.get('inference_allowed_mirroring_axes')).toEqual(
      configuration.patch_size.map((_, axis) => axis),
    );
  });
});

test('an untrained network is drawn as nnU-Net does: He for filters, identity for norms and residual blocks', () => {
  const { golden } = readGolden('residual-3d');
  const network = buildNetwork(golden.configuration, golden.dataset, new RandomStream(7, 'weights'));
  const state = network.state();
  const values = (name: string) => [...(state.get(name)!.data as Float32Array)];
  expect(values('encoder.stages.1.blocks.0.conv1.norm.weight')).toEqual([1, 1, 1]);
  expect(values('encoder.stages.1.blocks.0.conv2.norm.weight')).toEqual([0, 0, 0]);
  expect(values('decoder.transpconvs.0.bias')).toEqual([0, 0, 0]);
  const filter = values('encoder.stages.2.blocks.0.conv2.conv.weight'); // [5, 5, 3, 3, 3]
  const deviation = Math.sqrt(filter.reduce((sum, value) => sum + value ** 2, 0) / filter.length);
  expect(deviation / Math.sqrt(2 / (1 + 0.01 ** 2) / (5 * 27))).toBeCloseTo(1, 1); // 675 draws: 3% of error
  network.dispose();
});

test('weights that do not fit the plans are named', () => {
  const { golden, state } = readGolden('plain-2d');
  const before = tf.memory().numTensors;
  const broken = new Map(state);
  broken.delete('decoder.seg_layers.1.bias');
  broken.set('encoder.extra', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
  expect(() => buildNetwork(golden.configuration, golden.dataset, broken)).toThrow(
    'decoder.seg_layers.1.bias is missing; encoder.extra is too much',
  );
  const dataset = { ...golden.dataset, labels: { background: 0, lesion: 1 } };
  expect(() => buildNetwork(golden.configuration, dataset, state)).toThrow(
    'decoder.seg_layers.0.weight has the shape [3,4,1,1] instead of [2,4,1,1]',
  );
  expect(tf.memory().numTensors).toBe(before);
});

test('a patch that does not fit is refused with what would', () => {
  const { golden, state } = readGolden('plain-2d');
  const network = buildNetwork(golden.configuration, golden.dataset, state);
  expect(() => network.forward(tf.zeros([1, 8, 7, 2]))).toThrow('it takes [batch, n x 4, n x 2, 2]');
  network.dispose();
});
