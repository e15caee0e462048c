import { describe, expect, test } from 'vitest';
import { madeUpFullReport } from './__fixtures__/made-up-full-report.js';
import { fillChecklists, type ReportInput, renderChecklists, renderModelCard } from './index.js';

const input: ReportInput = {
  ...madeUpFullReport({ cases: 80, size: 8 }),
  bootstrap: { resamples: 50, seed: 3, level: 0.95 },
};
const { tripodAi, claim, metrics } = fillChecklists(input);

test('TRIPOD+AI has its 27 items in 52 parts, CLAIM 44, METRICS 30, each once', () => {
  const numbers = tripodAi.items.map(({ number }) => number);
  expect(numbers.length).toBe(52);
  expect(new Set(numbers).size).toBe(52);
  expect(new Set(numbers.map((number) => Number.parseInt(number, 10)))).toEqual(
    new Set(Array.from({ length: 27 }, (_, i) => i + 1)),
  );
  expect(claim.items.map(({ number }) => number)).toEqual(
    Array.from({ length: 44 }, (_, i) => String(i + 1)),
  );
  expect(metrics.items.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

describe('filled from the run, from the authors, or blank', () => {
  const item = (number: string) => tripodAi.items.find((one) => one.number === number)!;
  test('the run knows the split, the measures and the results', () => {
    for (const number of ['12a', '12e', '15', '20a', '21', '23a'])
      expect(item(number)).toMatchObject({ status: 'filled', from: 'run' });
    expect(item('23a').answer).toContain('ROC-AUC');
  });
  test('an answer of the authors wins', () => {
    expect(item('13')).toMatchObject({
      status: 'filled',
      from: 'authors',
      answer: 'No method for class imbalance was used.',
    });
    expect(item('26')).toMatchObject({ from: 'authors', answer: 'Nothing here is real.' });
  });
  test('nobody guesses the rest', () => {
    for (const number of ['2', '6b', '8c', '17', '18a', '19'])
      expect(item(number)).toMatchObject({ status: 'blank', answer: '', from: null });
  });
  test('the counts add up', () => {
    for (const { items, filled, partly, blank } of [tripodAi, claim])
      expect(filled + partly + blank).toBe(items.length);
  });
});

describe('METRICS', () => {
  test('the weights are those of the tool: they add up to 1 within their rounding', () => {
    expect(metrics.items.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 3);
  });
  test('the score is the weight of yes over the weight of what applies', () => {
    const sum = (answers: string[]) =>
      metrics.items
        .filter(({ answer }) => answers.includes(answer))
        .reduce((total, { weight }) => total + weight, 0);
    expect(metrics.score).toBeCloseTo((100 * sum(['yes'])) / sum(['yes', 'no', 'blank']), 9);
    expect(metrics.highest).toBeGreaterThan(metrics.score);
  });
  test('conditions decide what applies', () => {
    const answer = (score: typeof metrics, number: number) => score.items[number - 1]!.answer;
    // attention over slices with masks: segmentation, deep learning, no table of features
    expect([9, 12, 14, 15, 16].map((number) => answer(metrics, number))).toEqual(
      Array(5).fill('not applicable'),
    );
    expect(answer(metrics, 17)).toBe('yes');
    const tabular = fillChecklists({ ...input, study: { modelKind: 'tabular' }, attention: [] }).metrics;
    expect(answer(tabular, 14)).toBe('blank');
    expect(answer(tabular, 17)).toBe('not applicable');
    expect(answer(tabular, 8)).toBe('not applicable');
  });
  test('all yes is 100, excellent; all no is 0, very low', () => {
    const all = (answer: 'yes' | 'no') =>
      fillChecklists({
        ...input,
        checklists: {
          metrics: Object.fromEntries(Array.from({ length: 30 }, (_, i) => [String(i + 1), answer])),
        },
      }).metrics;
    expect(all('yes')).toMatchObject({ band: 'excellent' });
    expect(all('yes').score).toBeCloseTo(100, 9);
    expect(all('no')).toMatchObject({ score: 0, band: 'very low' });
  });
});

test('checklists and model card as Markdown and HTML, blanks marked', () => {
  const lists = renderChecklists(input);
  expect(lists.markdown).toMatch(/\| 6b \| Participants \| Eligibility criteria \| BLANK \| \\_\\_/);
  expect(lists.html).toContain('BLANK');
  const card = renderModelCard(input, { version: '2.0.0', inputs: { image: { num_channels: 3 } } });
  for (const text of [card.markdown, card.html]) {
    expect(text).toContain('To be filled in:');
    expect(text).toContain('SYNTHETIC DATA');
    expect(text).toContain('2.0.0');
  }
  expect(card.metadata).toMatchObject({
    version: '2.0.0',
    name: input.models[0]!.name,
    authors: 'not stated',
    network_data_format: {
      inputs: { image: { num_channels: 3 } },
      outputs: { pred: { num_channels: 1, channel_def: { '0': 'responder' } } },
    },
  });
  expect(() => JSON.stringify(card.metadata)).not.toThrow();
});
