import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import goldens from './__fixtures__/training-losses.json' with { type: 'json' };
import { deepSupervisionLoss, deepSupervisionWeights, diceAndCrossEntropy } from './training-losses.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

/** float32 here against float64 there, sums of 240 voxels. */
const TOLERANCE = 1e-5;

describe.each(goldens)("nnU-Net's loss, batch Dice $batchDice", (golden) => {
  const options = { batchDice: golden.batchDice };
  const tensors = () => ({
    logits: golden.logits.map((values, index) => tf.tensor(values, golden.shapes[index])),
    targets: golden.targets.map((values, index) =>
      tf.tensor(values, golden.shapes[index]!.slice(0, -1), 'int32'),
    ),
  });

  test('of each resolution and of all, with gradients', () => {
    const before = tf.memory().numTensors;
    const { logits, targets } = tensors();
    logits.forEach((each, index) => {
      const found = tf.tidy(() => diceAndCrossEntropy(each, targets[index]!, options).dataSync()[0]!);
      expect(Math.abs(found - golden.single[index]!)).toBeLessThan(TOLERANCE);
    });
    // the coarsest weighs nothing and has no gradient
    const { value, grads } = tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) =>
      deepSupervisionLoss([a, b, logits[2]!], targets, options),
    )([logits[0]!, logits[1]!]);
    expect(Math.abs(value.dataSync()[0]! - golden.loss)).toBeLessThan(TOLERANCE);
    grads.forEach((gradient, index) => {
      const expected = golden.gradients[index]!;
      const largest = Math.max(...expected.map(Math.abs));
      gradient.dataSync().forEach((found, at) => {
        expect(Math.abs(found - expected[at]!)).toBeLessThan(TOLERANCE * largest);
      });
    });
    expect(golden.gradients[2]).toBeNull();
    tf.dispose([logits, targets, value, grads]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('weights of resolutions', () => {
    deepSupervisionWeights(3).forEach((weight, index) => {
      expect(weight).toBeCloseTo(golden.weights[index]!, 12);
    });
  });
});

test('a single resolution weighs 1', () => {
  expect(deepSupervisionWeights(1)).toEqual([1]);
});
