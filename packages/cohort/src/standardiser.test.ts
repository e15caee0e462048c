import { expect, test } from 'vitest';
import golden from './__fixtures__/standardiser.json' with { type: 'json' };
import { type ClinicalRow, fitStandardiser, readStandardiser } from './index.js';

const rows = [
  { age: 61, ca125: null, stage: 'III', pet: null },
  { age: 45, ca125: 310, stage: 'IV', pet: null },
  { age: 70, ca125: 90, stage: 'III', pet: null },
  { age: 52, ca125: 1200, stage: null, pet: null },
];
const code = (wrong: string) => expect.objectContaining({ code: wrong });

test('numbers, missing values and categories are those of scikit-learn, on training rows and on others', () => {
  const { transform, features } = fitStandardiser(golden.train, golden.columns);
  expect(features).toEqual(golden.names);
  for (const part of ['train', 'test'] as const) {
    const found = golden[part].map((row) => [...transform(row)]);
    expect(found).toHaveLength(golden.expected[part].length);
    found.forEach((values, i) => {
      // float32 keeps 24 bits of values below 8
      values.forEach((value, j) => {
        expect(Math.abs(value - golden.expected[part][i]![j]!)).toBeLessThan(5e-7);
      });
    });
  }
});

test('a column that lacks values says so; text becomes one feature a category', () => {
  const { transform, features } = fitStandardiser(rows, ['age', 'ca125', 'stage']);
  expect(features).toEqual(['age', 'ca125', 'ca125 missing', 'stage=III', 'stage=IV', 'stage missing']);
  expect([...transform(rows[0]!)].slice(2)).toEqual([1, 1, 0, 0]);
  expect([...transform(rows[3]!)].slice(2)).toEqual([0, 0, 0, 1]);
  const { features: fewer } = fitStandardiser(rows, ['ca125', 'stage'], { missing: 'median' });
  expect(fewer).toEqual(['ca125', 'stage=III', 'stage=IV']);
});

test('a missing number is the median of the training rows, not their mean', () => {
  const { transform } = fitStandardiser(rows, ['age', 'ca125']);
  expect(transform({ age: null, ca125: null })[0]).toBe(transform({ age: 56.5, ca125: 1 })[0]); // (52 + 61) / 2
  expect(transform({ age: 61, ca125: null })[1]).toBe(transform({ age: 61, ca125: 310 })[1]);
  expect(transform({ age: 61, ca125: null })[1]).not.toBe(0);
});

test('a value is read as its column is: a number that came as text, a category that came as a number', () => {
  const { transform } = fitStandardiser([{ age: 61, grade: '2' }, ...[45, 70].map(grade3)], ['age', 'grade']);
  expect(transform({ age: '70', grade: 3 })).toEqual(transform({ age: 70, grade: '3' }));
  for (const age of ['old', '', ' ']) expect(() => transform({ age, grade: '3' })).toThrow(code('COLUMN'));
});
const grade3 = (age: number) => ({ age, grade: '3' });

test('later rows change nothing, and JSON keeps it', () => {
  const fitted = fitStandardiser(rows, ['age', 'stage']);
  const kept = JSON.stringify(fitted.parameters);
  fitted.transform({ age: 1e6, stage: 'III' });
  expect(JSON.stringify(fitted.parameters)).toBe(kept);
  const read = readStandardiser(JSON.parse(kept));
  expect(read.features).toEqual(fitted.features);
  for (const row of rows) expect(read.transform(row)).toEqual(fitted.transform(row));
});

test('a column whose values are all alike becomes 0, not a rounding error blown up', () => {
  const same = [0.1, 0.1, 0.1].map((dose) => ({ dose }));
  expect([...fitStandardiser(same, ['dose']).transform({ dose: 0.1 })][0]).toBeCloseTo(0, 12);
  expect([...fitStandardiser(same, ['dose']).transform({ dose: 1.1 })][0]).toBeCloseTo(1, 6);
});

test('a category that no training row has is refused, and named with those they have', () => {
  const { transform } = fitStandardiser(rows, ['stage']);
  expect(() => transform({ stage: 'II' })).toThrow(code('UNKNOWN_CATEGORY'));
  expect(() => transform({ stage: 'II' })).toThrow(/stage is "II".*III, IV/);
  expect(() =>
    fitStandardiser([{ stage: null }, { stage: 'IV' }], ['stage']).transform({ stage: 'null' }),
  ).toThrow(code('UNKNOWN_CATEGORY'));
});

test('what cannot be fitted or read is refused', () => {
  const refused = (given: ClinicalRow[], column: string) =>
    expect(() => fitStandardiser(given, [column])).toThrow(code('COLUMN'));
  expect(() => fitStandardiser([], ['age'])).toThrow(code('EMPTY'));
  refused(rows, 'weight');
  refused(rows, 'pet');
  refused([{ age: 3 }, { age: 'old' }], 'age');
  refused([{ age: Number.NaN }], 'age');
  // a column of numbers with a word in it comes as texts
  refused(
    Array.from({ length: 30 }, (_, i) => ({ age: i === 7 ? 'unknown' : String(i) })),
    'age',
  );
  expect(() => fitStandardiser(rows, ['age']).transform({})).toThrow(code('COLUMN'));
  expect(() => readStandardiser({ columns: [{ kind: 'number' }] })).toThrow(code('COLUMN'));
  expect(() => readStandardiser(null)).toThrow(code('COLUMN'));
});
