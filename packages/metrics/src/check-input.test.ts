import { describe, expect, test } from 'vitest';
import * as m from './index.js';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return m.MetricsError.isInstance(error) ? error.code : String(error);
  }
  return 'no error';
};

const measures: Record<string, (labels: number[], scores: number[]) => unknown> = {
  rocAuc: m.rocAuc,
  prAuc: m.prAuc,
  rocCurve: m.rocCurve,
  prCurve: m.prCurve,
  confusion: (l, s) => m.confusion(l, s, 0.5),
  f1Score: (l, s) => m.f1Score(l, s, 0.5),
  balancedAccuracy: (l, s) => m.balancedAccuracy(l, s, 0.5),
  sensitivity: (l, s) => m.sensitivity(l, s, 0.5),
  specificity: (l, s) => m.specificity(l, s, 0.5),
  youdenThreshold: m.youdenThreshold,
  brierScore: m.brierScore,
  delongTest: (l, s) => m.delongTest(l, s, s),
  delongCi: m.delongCi,
  bootstrapCi: (l, s) => m.bootstrapCi(m.rocAuc, l, s),
  bootstrapDifferenceCi: (l, s) => m.bootstrapDifferenceCi(m.rocAuc, l, s, s),
  rocBand: m.rocBand,
  expectedCalibrationError: m.expectedCalibrationError,
  calibrationCurve: m.calibrationCurve,
  calibrationSlopeIntercept: m.calibrationSlopeIntercept,
  fitPlatt: m.fitPlatt,
  fitTemperature: m.fitTemperature,
  fitIsotonic: m.fitIsotonic,
  decisionCurve: (l, s) => m.decisionCurve(l, s, [0.5]),
};

describe.each(Object.entries(measures))('%s', (_, measure) => {
  test('refuses what it cannot measure', () => {
    expect(code(() => measure([], []))).toBe('EMPTY');
    expect(code(() => measure([0, 1], [0.5]))).toBe('LENGTH_MISMATCH');
    expect(code(() => measure(undefined as unknown as number[], [0.5]))).toBe('LENGTH_MISMATCH');
    expect(code(() => measure([0, 1, 1, 0], [0.1, Number.NaN, 0.3, 0.2]))).toBe('NOT_FINITE');
    expect(code(() => measure([0, 1, 1, 0], [0.1, Infinity, 0.3, 0.2]))).toBe('NOT_FINITE');
    expect(code(() => measure([0, 2, 1, 0], [0.1, 0.2, 0.3, 0.2]))).toBe('INVALID_LABEL');
    expect(code(() => measure([0, Number.NaN, 1, 0], [0.1, 0.2, 0.3, 0.2]))).toBe('INVALID_LABEL');
    expect(code(() => measure([true, false] as unknown as number[], [0.1, 0.2]))).toBe('INVALID_LABEL');
    expect(code(() => measure([1, 1, 1], [0.1, 0.2, 0.3]))).toBe('ONE_CLASS');
    expect(code(() => measure([0, 0, 0], [0.1, 0.2, 0.3]))).toBe('ONE_CLASS');
  });
});

test('probabilities have to be probabilities', () => {
  for (const measure of [
    m.brierScore,
    m.expectedCalibrationError,
    m.calibrationCurve,
    m.calibrationSlopeIntercept,
  ]) {
    expect(code(() => measure([0, 1], [-0.1, 0.4]))).toBe('OUT_OF_RANGE');
    expect(code(() => measure([0, 1], [0.1, 1.4]))).toBe('OUT_OF_RANGE');
  }
  expect(code(() => m.calibrationSlopeIntercept([0, 1, 1, 0], [0, 0.4, 0.6, 0.5]))).toBe('OUT_OF_RANGE');
  expect(m.calibrationSlopeIntercept([0, 1, 1, 0], [0, 0.4, 0.6, 0.5], { clip: 1e-6 }).slope).toBeGreaterThan(
    0,
  );
});

test('options', () => {
  const [l, s] = [
    [0, 1, 0, 1],
    [0.1, 0.3, 0.4, 0.9],
  ];
  expect(code(() => m.confusion(l, s, Number.NaN))).toBe('INVALID_OPTION');
  expect(code(() => m.confusion(l, s, undefined as unknown as number))).toBe('INVALID_OPTION');
  expect(code(() => m.delongCi(l, s, { level: 95 }))).toBe('INVALID_OPTION');
  expect(code(() => m.delongCi(l, s, { method: 'other' as 'wald' }))).toBe('INVALID_OPTION');
  expect(code(() => m.bootstrapCi(m.rocAuc, l, s, { resamples: 1 }))).toBe('INVALID_OPTION');
  expect(code(() => m.bootstrapCi(m.rocAuc, l, s, { seed: 0.5 }))).toBe('INVALID_OPTION');
  expect(code(() => m.bootstrapCi(m.rocAuc, l, s, { level: 0 }))).toBe('INVALID_OPTION');
  expect(code(() => m.bootstrapCi(m.rocAuc, l, s, { clusters: ['a'] }))).toBe('LENGTH_MISMATCH');
  expect(code(() => m.bootstrapCi(() => Number.NaN, l, s))).toBe('NOT_FINITE');
  expect(code(() => m.expectedCalibrationError(l, s, { bins: 0 }))).toBe('INVALID_OPTION');
  expect(code(() => m.expectedCalibrationError(l, s, { of: 'max' as 'positive' }))).toBe('INVALID_OPTION');
  expect(code(() => m.calibrationCurve(l, s, { strategy: 'k' as 'uniform' }))).toBe('INVALID_OPTION');
  expect(code(() => m.calibrationSlopeIntercept(l, s, { clip: 0.5 }))).toBe('INVALID_OPTION');
  expect(code(() => m.decisionCurve(l, s, []))).toBe('EMPTY');
  expect(code(() => m.decisionCurve(l, s, [1]))).toBe('OUT_OF_RANGE');
  expect(code(() => m.wilsonCi(3, 2))).toBe('INVALID_OPTION');
  expect(code(() => m.wilsonCi(0.5, 2))).toBe('INVALID_OPTION');
  expect(code(() => m.wilsonCi(0, 0))).toBe('EMPTY');
});

test('degenerate statistics raise instead of dividing by zero', () => {
  expect(code(() => m.delongTest([0, 1], [0.1, 0.2], [0.1, 0.2]))).toBe('TOO_FEW');
  expect(code(() => m.delongTest([0, 0, 1, 1], [1, 2, 3, 4], [1, 1, 1, 1]))).toBe('NO_VARIANCE');
  expect(m.delongTest([0, 0, 1, 1], [1, 2, 3, 4], [1, 1, 2, 2])).toMatchObject({
    z: 0,
    p: 1,
    aucA: 1,
    aucB: 1,
  });
  expect(m.delongCi([0, 0, 1, 1], [1, 2, 3, 4])).toEqual({ auc: 1, lower: 1, upper: 1, standardError: 0 });
  expect(code(() => m.delongCi([0, 0, 1, 1], [1, 2, 3, 4], { method: 'logit' }))).toBe('NO_VARIANCE');
  expect(code(() => m.fitPlatt([0, 1], [2, 2]))).toBe('NO_VARIANCE');
  expect(code(() => m.calibrationSlopeIntercept([0, 1], [0.3, 0.3]))).toBe('NO_VARIANCE');
  expect(code(() => m.calibrationSlopeIntercept([0, 1, 0], [0.3, 0.8, 0.4]))).toBe('NO_OPTIMUM');
  expect(code(() => m.calibrationSlopeIntercept([1, 0, 1, 1], [0.3, 0.5, 0.4, 0.5]))).toBe('NO_OPTIMUM');
  expect(code(() => m.fitTemperature([0, 1], [-1, 2]))).toBe('NO_OPTIMUM');
  expect(code(() => m.fitTemperature([0, 1, 1], [3, -2, 1]))).toBe('NO_OPTIMUM');
  expect(code(() => m.fitTemperature([0, 1], [0, 0]))).toBe('NO_VARIANCE');
  expect(code(() => m.spearman([1, 1, 1], [1, 2, 3]))).toBe('NO_VARIANCE');
  expect(code(() => m.spearman([1, 2], [1, 2]))).toBe('TOO_FEW');
  expect(m.spearman([1, 2, 3], [2, 4, 9])).toEqual({ rho: 1, p: 0 });
});

test('survival input', () => {
  for (const measure of [
    (t: number[], e: number[]) => m.kaplanMeier(t, e),
    (t: number[], e: number[]) =>
      m.logRank(
        t,
        e,
        t.map((_, i) => i % 2),
      ),
    (t: number[], e: number[]) => m.concordanceIndex(t, e, t),
  ]) {
    expect(code(() => measure([], []))).toBe('EMPTY');
    expect(code(() => measure([1], [1, 1]))).toBe('LENGTH_MISMATCH');
    expect(code(() => measure([1, Number.NaN], [1, 1]))).toBe('NOT_FINITE');
    expect(code(() => measure([1, -2], [1, 1]))).toBe('OUT_OF_RANGE');
    expect(code(() => measure([1, 2], [1, 3]))).toBe('INVALID_LABEL');
  }
  expect(code(() => m.logRank([1, 2], [1, 1], ['a', 'a']))).toBe('ONE_CLASS');
  expect(code(() => m.logRank([1, 2], [0, 0], ['a', 'b']))).toBe('NO_VARIANCE');
  expect(code(() => m.logRank([1, 2], [1, 1], ['a']))).toBe('LENGTH_MISMATCH');
  expect(code(() => m.concordanceIndex([1, 2], [0, 0], [1, 2]))).toBe('NO_VARIANCE');
  expect(m.kaplanMeier([1, 2], [0, 0]).median).toBeNull();
});

test('typed arrays are as good as arrays, and inputs are left alone', () => {
  const labels = Uint8Array.from([0, 0, 1, 1]);
  const scores = Float32Array.from([0.5, 0.25, 0.125, 0.75]);
  expect(m.rocAuc(labels, scores)).toBe(0.5);
  m.bootstrapCi(
    (l, s) => {
      l.sort();
      s.sort();
      return 1;
    },
    labels,
    scores,
    { resamples: 5 },
  );
  expect([...labels, ...scores]).toEqual([0, 0, 1, 1, 0.5, 0.25, 0.125, 0.75]);
});
