import { RandomStream } from '@onco-response/engine';
import { expect, test } from 'vitest';
import { createSampler, stratifiedBatches } from './batches.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { afterEpoch, FIRST_PLATEAU, learningRate } from './schedule.js';

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
  memory.push(Float32Array.of(1, 1, 2, 2), [0, 1], [7, 8]);
  memory.push(Float32Array.of(3, 3, 4, 4), [1, 0], [9, 8]);
  expect(memory.content).toEqual({
    rows: Float32Array.of(2, 2, 3, 3, 4, 4),
    shape: [3, 2],
    labels: [1, 1, 0],
    patients: [8, 9, 8],
  });
});

test('the learning rate warms up linearly and ends at 0', () => {
  const at = (step: number) => learningRate(step, { peak: 1, warmUpSteps: 4, totalSteps: 104 });
  expect([at(0), at(3), at(4)]).toEqual([0.25, 1, 1]);
  expect(at(54)).toBeCloseTo(0.5, 12);
  expect(at(104)).toBe(0);
});

test('a constant rate stays after the warm-up, a plateau halves it after epochs without a better figure', () => {
  const settings = { peak: 1, warmUpSteps: 2, totalSteps: 50 };
  const rate = (step: number, kind: 'constant' | 'plateau', factor = 1) =>
    learningRate(step, { ...settings, kind, factor });
  expect([rate(0, 'constant'), rate(2, 'constant'), rate(49, 'constant')]).toEqual([0.5, 1, 1]);
  expect([rate(0, 'plateau', 0.5), rate(30, 'plateau', 0.25)]).toEqual([0.25, 0.25]);
  let state = FIRST_PLATEAU;
  const factors = [0.5, 0.6, 0.6, 0.5, 0.6, 0.7, 0.1, 0.1, 0.1].map((figure) => {
    state = afterEpoch(state, figure, { factor: 0.5, patience: 1 });
    return state.factor;
  });
  // torch.optim.lr_scheduler.ReduceLROnPlateau(mode='max', factor=0.5, patience=1, threshold=0) gives the same
  expect(factors).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
});

test('balanced batches hold as many patients of each class, and follow from seed and epoch alone', () => {
  const cases = Array.from({ length: 20 }, (_, i) => ({
    caseId: `c${i}`,
    patientId: `p${i >> 1}`,
    label: (i < 6 ? 1 : 0) as 0 | 1,
  }));
  const sampler = () => createSampler(cases, { sampler: 'balancedPatients', batchSize: 4 }, 3);
  const epochs = [0, 1].map((epoch) => sampler().batches(epoch));
  for (const batch of epochs.flat()) {
    expect(batch.map((index) => cases[index]!.label).sort()).toEqual([0, 0, 1, 1]);
    expect(new Set(batch.map((index) => cases[index]!.patientId)).size).toBe(4);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  const again = sampler();
  expect(again.batches(1)).toEqual(epochs[1]);
  expect(again.batchesPerEpoch).toBe(epochs[0]!.length);
});
