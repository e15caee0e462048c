import { expect, test } from 'vitest';
import { trainingSection } from './section-training.js';

const curve = (epochs: number, kept: number, start: number, of?: string) =>
  Array.from({ length: epochs }, (_, i) => ({
    epoch: i + 1,
    trainLoss: start / (i + 1),
    validationAuc: 0.6 + 0.01 * i,
    kept: i + 1 === kept,
    ...(of === undefined ? {} : { of }),
  }));

const linesOf = (text: string) =>
  [...text.matchAll(/<path[^>]*fill="none"[^>]*stroke="var\(--series-1\)"/g)].length;

test('one model: the epoch it has the weights of, one line', () => {
  const { text } = trainingSection(curve(8, 5, 0.9)).body;
  expect(text).toContain('The model has the weights of epoch 5, validation AUC 0.640.');
  expect(text).not.toContain('<th scope="col">Model</th>');
  expect(linesOf(text)).toBe(1);
});

test('several models: one line each, the ranges of what was trained and kept, every epoch in the table', () => {
  const { text } = trainingSection([
    ...curve(8, 5, 0.9, 'fold-0'),
    ...curve(12, 9, 1.4, 'fold-1'),
    ...curve(8, 8, 0.7, 'fold-2'),
  ]).body;
  expect(text).toContain('3 models were trained for 8 to 12 epochs');
  expect(text).toContain('they have the weights of epoch 5 to 9, validation AUC 0.640 to 0.680');
  expect(linesOf(text)).toBe(3);
  expect(text).toContain('<th scope="col">Model</th>');
  expect(text.match(/>fold-1</g)).toHaveLength(12);
});
