import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { smallCases, smallModel, smallStudy } from './__fixtures__/small-training.js';
import { findLearningRate, suggestRate } from './learning-rate-finder.js';

beforeAll(() => startEngine({ backend: 'cpu' }));

test('the suggestion is a tenth of the rate of the least smoothed loss', () => {
  const points = Array.from({ length: 41 }, (_, i) => ({
    learningRate: 10 ** (-6 + i / 10),
    loss: 0,
    smoothedLoss: (i - 30) ** 2,
  }));
  expect(suggestRate(points)).toBeCloseTo(1e-4, 10);
  expect(
    suggestRate(points.map((point) => ({ ...point, smoothedLoss: Number.NaN })).concat(points)),
  ).toBeCloseTo(1e-4, 10);
});

test('the rate grows exponentially, the loss falls before it grows, and the same seed gives the same curve', async () => {
  const study = smallStudy({ loss: 'contrastive: 0, hardNegatives: 0' });
  const { cases, tokens } = smallCases(12);
  const before = tf.memory().numTensors;
  const run = async () => {
    const model = await smallModel(study);
    const result = await findLearningRate({
      model,
      study,
      tokens,
      train: cases,
      from: 1e-5,
      to: 10,
      steps: 40,
    });
    model.dispose();
    return result;
  };
  const { suggested, points } = await run();
  expect(tf.memory().numTensors).toBe(before);
  expect(points[1]!.learningRate / points[0]!.learningRate).toBeCloseTo(10 ** (6 / 39), 6);
  const least = Math.min(...points.map(({ smoothedLoss }) => smoothedLoss));
  expect(least).toBeLessThan(points[4]!.smoothedLoss);
  expect(points.at(-1)!.smoothedLoss).toBeGreaterThan(least);
  expect(suggested).toBeGreaterThan(1e-6);
  expect(suggested).toBeLessThan(1);
  expect((await run()).points).toEqual(points);
}, 30_000);
