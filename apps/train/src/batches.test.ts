import { RandomStream } from '@onco-response/engine';
import { expect, test } from 'vitest';
import { stratifiedBatches } from './batches.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { learningRate } from './schedule.js';

test('an epoch holds every case once, in even batches that all have both classes', () => {
  const labels = Array.from({ length: 53 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const batches = stratifiedBatches(labels, 8, new RandomStream(1, 'order'));
  expect(batches.flat().sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
  const sizes = batches.map((batch) => batch.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
  for (const batch of batches) {
    const positives = batch.filter((index) => labels[index] === 1).length;
    expect(positives).toBeGreaterThanOrEqual(2);
    expect(positives).toBeLessThanOrEqual(3);
  }
});

test('two epochs of one stream differ, the same seed repeats them', () => {
  const labels = Array.from({ length: 20 }, (_, i) => i % 2);
  const stream = new RandomStream(2, 'order');
  const epochs = [stratifiedBatches(labels, 4, stream), stratifiedBatches(labels, 4, stream)];
  const again = new RandomStream(2, 'order');
  expect([stratifiedBatches(labels, 4, again), stratifiedBatches(labels, 4, again)]).toEqual(epochs);
  expect(epochs[0]).not.toEqual(epochs[1]);
});

test('the memory keeps the newest rows in order', () => {
  const memory = new EmbeddingMemory(3);
  expect(memory.content).toBeUndefined();
  memory.push(Float32Array.of(1, 1, 2, 2), [0, 1]);
  memory.push(Float32Array.of(3, 3, 4, 4), [1, 0]);
  expect(memory.content).toEqual({
    rows: Float32Array.of(2, 2, 3, 3, 4, 4),
    shape: [3, 2],
    labels: [1, 1, 0],
  });
});

test('the learning rate warms up linearly and ends at 0', () => {
  const at = (step: number) => learningRate(step, { peak: 1, warmUpSteps: 4, totalSteps: 104 });
  expect([at(0), at(3), at(4)]).toEqual([0.25, 1, 1]);
  expect(at(54)).toBeCloseTo(0.5, 12);
  expect(at(104)).toBe(0);
});
