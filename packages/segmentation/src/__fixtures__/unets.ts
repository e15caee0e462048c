import { readFileSync } from 'node:fs';
import { readTorchCheckpoint, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { buildNetwork, weightsUnder } from '../build-network.js';
import type { NnUnetDataset } from '../dataset-labels.js';
import type { NetworkConfiguration } from '../unet-architecture.js';

interface Stored {
  shape: number[];
  values: number[];
}

interface Golden {
  configuration: NetworkConfiguration & { patch_size: number[] };
  dataset: NnUnetDataset;
  patch: Stored;
  logits: Stored[];
  bottleneck: Stored;
  dys: Stored[];
  gradients: Record<string, Stored>;
}

/** Of the variants, whose weights lie in the same file. */
export interface VariantGolden extends Golden {
  state: Record<string, Stored>;
  /** Of a vector-quantised network: the gradients are those of the logits with `lossWeight` times the codebook's loss. */
  quantised?: { loss: number; lossWeight: number; codes: Stored; histogram: number[]; perplexity: number };
}

const folder = new URL('./unets/', import.meta.url);
/** What dynamic_network_architectures computed for a tiny network, and its checkpoint as nnU-Net writes it. */
export const readGolden = (name: string) => {
  const golden = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Golden;
  const checkpoint = readTorchCheckpoint(readFileSync(new URL(`${name}.pth`, folder)));
  return { golden, checkpoint, state: weightsUnder(checkpoint.tensors, 'network_weights') };
};

/** What PyTorch computed for a tiny Attention U-Net or vector-quantised U-Net (segmentation_variants_golden.py). */
export const readVariant = (name: string) => {
  const golden = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as VariantGolden;
  const state = new Map(
    Object.entries(golden.state).map(([key, { shape, values }]): [string, WeightTensor] => [
      key,
      { dtype: 'F32', shape, data: Float32Array.from(values) },
    ]),
  );
  return { golden, state };
};

export const tensor = ({ shape, values }: Stored) => tf.tensor(values, shape);

/** Tests a network of ./unets on the backend that runs: float32 against torch's float64, through 7 to 15 layers. */
export function compareNetwork(
  name: string,
  { golden, state }: { golden: VariantGolden | Golden; state: Map<string, WeightTensor> } = readGolden(name),
): void {
  const { configuration, dataset } = golden;
  const { quantised } = golden as VariantGolden;

  test('logits of every resolution and the bottleneck are those of dynamic_network_architectures', () => {
    const before = tf.memory().numTensors;
    const network = buildNetwork(configuration, dataset, state);
    expect([network.dimensions, network.classes]).toEqual([
      configuration.patch_size.length,
      golden.logits[0]!.shape.at(-1),
    ]);
    tf.tidy(() => {
      const patch = tensor(golden.patch);
      expectNear(network.forward(patch), golden.logits[0]!, 1e-4);
      network.deepSupervision(patch).forEach((logits, index) => {
        expectNear(logits, golden.logits[index]!, 1e-4);
      });
      expectNear(network.bottleneck(patch), golden.bottleneck, 1e-4);
    });
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('gradients through all outputs are those of torch', () => {
    const before = tf.memory().numTensors;
    const network = buildNetwork(configuration, dataset, state);
    tf.tidy(() => {
      const patch = tensor(golden.patch);
      const dys = golden.dys.map(tensor);
      const { grads } = tf.variableGrads(
        () =>
          {
          const { logits, auxiliaryLoss } = network.trainingPass(patch);
          const terms = logits.map((each, index) => tf.sum(tf.mul(each, dys[index]!)));
          if (quantised) terms.push(tf.mul(auxiliaryLoss!, quantised.lossWeight));
          return tf.addN(terms) as tf.Scalar;
        },
        network.variables(),
      );
      const names = network.variableNames();
      let compared = 0;
      network.variables().forEach((variable, index) => {
        const expected = golden.gradients[names[index]!];
        if (!expected) return;
        compared++;
        const isFilter = variable.rank === 5;
        const turned = isFilter
          ? tf.transpose(grads[variable.name]!, [4, 3, 0, 1, 2])
          : grads[variable.name]!;
        expectNear(tf.reshape(turned, expected.shape), expected, 1e-4);
      });
      expect(compared).toBeGreaterThan(10);
    });
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
}

function expectNear(found: tf.Tensor, expected: Stored, tolerance: number): void {
  expect(found.shape).toEqual(expected.shape);
  const values = found.dataSync();
  const scale = Math.max(1, ...expected.values.map(Math.abs));
  const error = Math.max(...expected.values.map((value, index) => Math.abs(value - values[index]!)));
  expect(error / scale).toBeLessThan(tolerance);
}
