import { expect, test } from 'vitest';
import { fitStandardiser, readStandardiser } from './index.js';

const rows = [
  { age: 61, ca125: null, stage: 'III', pet: null },
  { age: 45, ca125: 310, stage: 'IV', pet: null },
  { age: 70, ca125: 90, stage: 'III', pet: null },
  { age: 52, ca125: 1200, stage: null, pet: null },
];
const code = (wrong: string) => expect.objectContaining({ code: wrong });

test('columns become zero mean and unit variance over the training rows, each on its own', () => {
  const { transform, features } = fitStandardiser(rows, ['age', 'ca125'], { missing: 'mean' });
  expect(features).toEqual(['age', 'ca125']);
  const values = rows.map((row) => transform(row));
  // sklearn: StandardScaler().fit_transform([[61], [45], [70], [52]]); ca125 of rows 2-4 alike, row 1 at the mean
  expect([...values.map(([age]) => age!.toFixed(5))]).toEqual(['0.42520', '-1.27559', '1.38188', '-0.53149']);
  expect([...values.map(([, ca125]) => ca125!.toFixed(5))]).toEqual([
    '0.00000',
    '-0.46539',
    '-0.92383',
    '1.38922',
  ]);
});

test('a column that lacks values says so; text becomes one feature a category', () => {
  const { transform, features } = fitStandardiser(rows, ['age', 'ca125', 'stage']);
  expect(features).toEqual(['age', 'ca125', 'ca125 missing', 'stage=III', 'stage=IV', 'stage missing']);
  expect([...transform(rows[0]!)].slice(1)).toEqual([0, 1, 1, 0, 0]);
  expect([...transform(rows[3]!)].slice(2)).toEqual([0, 0, 0, 1]);
  expect([...transform({ age: null, ca125: 310, stage: 'II' })].slice(3)).toEqual([0, 0, 0]); // new category
  expect(transform({ age: null, ca125: 310, stage: 'II' })[0]).toBe(0); // missing only outside training: the mean
});

test('later rows change nothing, and JSON keeps it', () => {
  const fitted = fitStandardiser(rows, ['age', 'stage']);
  const kept = JSON.stringify(fitted);
  fitted.transform({ age: 1e6, stage: 'V' });
  expect(JSON.stringify(fitted)).toBe(kept);
  const read = readStandardiser(JSON.parse(kept));
  expect(read.features).toEqual(fitted.features);
  for (const row of rows) expect(read.transform(row)).toEqual(fitted.transform(row));
});

test('a column whose values are all alike becomes 0, not a rounding error blown up', () => {
  const same = [0.1, 0.1, 0.1].map((dose) => ({ dose }));
  expect([...fitStandardiser(same, ['dose']).transform({ dose: 0.1 })][0]).toBeCloseTo(0, 12);
  expect([...fitStandardiser(same, ['dose']).transform({ dose: 1.1 })][0]).toBeCloseTo(1, 6);
});

test('what cannot be fitted or read is refused', () => {
  expect(() => fitStandardiser([], ['age'])).toThrow(code('EMPTY'));
  expect(() => fitStandardiser(rows, ['weight'])).toThrow(code('COLUMN'));
  expect(() => fitStandardiser(rows, ['pet'])).toThrow(code('COLUMN'));
  expect(() => fitStandardiser([{ age: 3 }, { age: 'old' }], ['age'])).toThrow(code('COLUMN'));
  expect(() => fitStandardiser([{ age: Number.NaN }], ['age'])).toThrow(code('COLUMN'));
  expect(() => fitStandardiser(rows, ['age']).transform({ age: 'old' })).toThrow(code('COLUMN'));
  expect(() => fitStandardiser(rows, ['age']).transform({})).toThrow(code('COLUMN'));
  expect(() => readStandardiser({ columns: [{ kind: 'number' }] })).toThrow(code('COLUMN'));
  expect(() => readStandardiser(null)).toThrow(code('COLUMN'));
});
