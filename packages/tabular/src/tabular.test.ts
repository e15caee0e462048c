import { bundleForBrowser } from '@onco-response/tooling-vitest/browser-bundle';
import { expect, test } from 'vitest';
import {
  fitImputer,
  fitLogistic,
  fitOneHot,
  fitPipeline,
  fitScaler,
  restorePipeline,
  TabularError,
} from './index.js';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return TabularError.isInstance(error) ? error.code : String(error);
  }
  return 'no error';
};

test('the median stands for a gap, and an indicator says so where the training rows had one', () => {
  const imputer = fitImputer([
    [1, 10],
    [null, 20],
    [5, 40],
    [2, 30],
  ]);
  expect(imputer.values).toEqual([2, 25]);
  expect(imputer.transform([[null, null]])).toEqual([[2, 25, 1]]);
  expect(
    fitImputer([[1], [null], [6], [2]], { strategy: 'mean', indicator: false }).transform([[null]]),
  ).toEqual([[3]]);
});

test('a new category is all zeros, or refused', () => {
  const rows = [
    ['b', null],
    ['a', 'x'],
    ['b', 'x'],
  ];
  const encoder = fitOneHot(rows);
  expect(encoder.categories).toEqual([
    ['a', 'b'],
    ['x', null],
  ]);
  expect(
    encoder.transform([
      ['b', null],
      ['c', 'x'],
      [null, 'y'],
    ]),
  ).toEqual([
    [0, 1, 0, 1],
    [0, 0, 1, 0],
    [0, 0, 0, 0],
  ]);
  const strict = fitOneHot(rows, { unknown: 'error' });
  expect(code(() => strict.transform([['c', 'x']]))).toBe('UNKNOWN_CATEGORY');
  expect(code(() => strict.transform([[null, 'x']]))).toBe('UNKNOWN_CATEGORY');
});

test('standardised training columns have mean 0 and deviation 1; a constant is 0, not rounding blown up', () => {
  const rows = Array.from({ length: 50 }, (_, i) => [Math.sin(i) * 1e6 + 3e6, 0.1]);
  const scaled = fitScaler(rows).transform(rows);
  const mean = scaled.reduce((sum, [x]) => sum + x!, 0) / 50;
  const variance = scaled.reduce((sum, [x]) => sum + (x! - mean) ** 2, 0) / 50;
  expect(mean).toBeCloseTo(0, 12);
  expect(variance).toBeCloseTo(1, 12);
  expect(scaled.every(([, constant]) => Math.abs(constant!) < 1e-15)).toBe(true);
});

test('at the optimum the gradient of the objective is 0', () => {
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(1.7 * i), Math.sin(2.9 * i) ** 3]);
  const y = x.map(([a, b], i) => (a! - b! + Math.sin(37 * i) > 0 ? 1 : 0));
  for (const c of [1e-3, 1, 1e3]) {
    const model = fitLogistic(x, y, { c });
    const p = model.probabilities(x);
    expect(p.reduce((sum, each, i) => sum + each - y[i]!, 0)).toBeCloseTo(0, 9);
    model.coefficients.forEach((coefficient, k) => {
      const slope = p.reduce((sum, each, i) => sum + (each - y[i]!) * x[i]![k]!, 0) + coefficient / c;
      expect(slope).toBeCloseTo(0, 9);
    });
  }
});

test('only training rows teach: other rows, whatever they hold, change nothing', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ age: 40 + (i % 17), stage: i % 3 ? 'II' : 'III' }));
  const labels = rows.map(({ age }, i) => (age + 9 * Math.sin(i) > 48 ? 1 : 0));
  const options = { numeric: ['age'], categorical: ['stage'] };
  const pipeline = fitPipeline(rows, labels, options);
  const before = JSON.stringify(pipeline);
  pipeline.probabilities([{ age: 1e9, stage: 'IV' }]);
  expect(JSON.stringify(pipeline)).toBe(before);
  expect(pipeline.fittedOn).toBe(40);
  // Scores are per row: neighbours do not matter.
  const alone = pipeline.logits([rows[3]!])[0];
  expect(pipeline.logits(rows)[3]).toBe(alone);
});

test('what cannot be fitted or read raises with a code', () => {
  const rows = [
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
  ];
  const fitted = JSON.parse(JSON.stringify(fitPipeline(rows, [0, 1], { numeric: ['a'] })));
  const codes: [string, () => unknown][] = [
    ['EMPTY', () => fitLogistic([], [])],
    ['EMPTY', () => fitPipeline([], [], { numeric: ['a'] })],
    ['EMPTY', () => fitPipeline(rows, [0, 1], {})],
    ['LENGTH_MISMATCH', () => fitLogistic([[1, 2], [1]], [0, 1])],
    ['LENGTH_MISMATCH', () => fitLogistic([[1], [2]], [0, 1, 1])],
    ['NOT_FINITE', () => fitLogistic([[1], [Number.NaN]], [0, 1])],
    ['NOT_FINITE', () => fitImputer([[Number.POSITIVE_INFINITY]])],
    ['INVALID_LABEL', () => fitLogistic([[1], [2]], [0, 2])],
    ['ONE_CLASS', () => fitLogistic([[1], [2]], [1, 1])],
    ['INVALID_OPTION', () => fitLogistic([[1], [2]], [0, 1], { c: 0 })],
    ['INVALID_OPTION', () => fitImputer([[1]], { strategy: 'mode' as 'mean' })],
    ['INVALID_OPTION', () => fitOneHot([['a']], { unknown: 'drop' as 'error' })],
    ['NO_OPTIMUM', () => fitLogistic([[1], [2], [3], [4]], [0, 0, 1, 1], { c: Number.POSITIVE_INFINITY })],
    [
      'NO_OPTIMUM',
      () =>
        fitLogistic(
          [
            [1, 2],
            [2, 4],
            [3, 6],
            [4, 8],
          ],
          [0, 1, 0, 1],
          { c: Number.POSITIVE_INFINITY },
        ),
    ],
    ['COLUMN', () => fitPipeline(rows, [0, 1], { numeric: ['b'] })],
    ['COLUMN', () => fitPipeline(rows, [0, 1], { numeric: ['c'] })],
    ['COLUMN', () => fitPipeline(rows, [0, 1], { numeric: ['a', 'a'] })],
    ['COLUMN', () => fitPipeline([{ a: null }, { a: null }], [0, 1], { numeric: ['a'] })],
    ['PARAMETERS', () => restorePipeline(null)],
    ['PARAMETERS', () => restorePipeline({ ...fitted, version: 2 })],
    ['PARAMETERS', () => restorePipeline({ ...fitted, numeric: ['a', 'z'] })],
    ['PARAMETERS', () => restorePipeline({ ...fitted, model: { coefficients: [], intercept: 0 } })],
    ['PARAMETERS', () => restorePipeline({ ...fitted, model: { coefficients: [null], intercept: 0 } })],
  ];
  codes.forEach(([expected, run], i) => {
    expect(`${i} ${code(run)}`).toBe(`${i} ${expected}`);
  });
});

test('it runs in a browser: nothing of Node is needed', async () => {
  const { imports } = await bundleForBrowser(new URL('./index.ts', import.meta.url));
  expect(imports).toEqual([]);
});
