import { brierScore, delongTest, MetricsError, rocAuc, wilsonCi } from '@onco-response/metrics';
import { expect, test } from 'vitest';
import { madeUpReport } from './__fixtures__/made-up-report.js';
import { compareModels, evaluateModel } from './index.js';

const { models, bootstrap } = madeUpReport();
const [main, , volume] = models as [(typeof models)[0], (typeof models)[0], (typeof models)[0]];
const options = { threshold: 0.47, bootstrap: { ...bootstrap, resamples: 200 } };

test('holds the numbers of the metrics package, and is plain JSON', () => {
  const result = evaluateModel(main.labels, main.scores, { ...options, clusters: main.clusters! });
  expect(result.rocAuc.estimate).toBe(rocAuc(main.labels, main.scores));
  expect(result.brierScore).toBe(brierScore(main.labels, main.scores));
  const { tp, fn, fp, tn } = result.confusion;
  expect(tp + fn + fp + tn).toBe(96);
  expect(result.sensitivity).toEqual({ ...wilsonCi(tp, tp + fn), successes: tp, total: tp + fn });
  expect(result).toMatchObject({ cases: 96, positives: 48, patients: 48, prevalence: 0.5, notDefined: {} });
  expect(result.bootstrap).toMatchObject({ clustered: true, resamples: 200 });
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});

test('clusters change the interval and not the estimate', () => {
  const cases = evaluateModel(main.labels, main.scores, options);
  const patients = evaluateModel(main.labels, main.scores, { ...options, clusters: main.clusters! });
  expect(patients.rocAuc.estimate).toBe(cases.rocAuc.estimate);
  expect(patients.rocAuc.lower).not.toBe(cases.rocAuc.lower);
  expect(cases.patients).toBeNull();
});

test('says why a number is not defined', () => {
  const scores = main.scores.map((score) => 10 * score);
  const result = evaluateModel(main.labels, scores, options);
  expect(result.brierScore).toBeNull();
  expect(result.calibration).toBeNull();
  expect(result.calibrationBins).toBeNull();
  expect(result.notDefined.brierScore).toMatch(/outside \[0, 1\]/);
  const nobody = evaluateModel(main.labels, main.scores, { ...options, threshold: 2 });
  expect(nobody.positivePredictiveValue).toBeNull();
  expect(nobody.sensitivity.estimate).toBe(0);
});

test('one class and empty input raise', () => {
  expect(() => evaluateModel([1, 1], [0.2, 0.4], options)).toThrow(MetricsError);
  expect(() => evaluateModel([], [], options)).toThrow(MetricsError);
});

test('compares two models by DeLong and by a paired bootstrap', () => {
  const result = compareModels(main.labels, main.scores, volume.scores, {
    ...options,
    clusters: main.clusters!,
  });
  const { z, p } = delongTest(main.labels, main.scores, volume.scores);
  expect(result.delong).toEqual({ z, p });
  expect(result.difference.estimate).toBeCloseTo(result.aucA - result.aucB, 14);
  expect(result.difference.lower).toBeLessThan(result.difference.estimate);
  const degenerate = compareModels([0, 0, 1, 1], [1, 2, 3, 4], [1, 1, 1, 1], options);
  expect(degenerate.delong).toBeNull();
  expect(degenerate.notDefined.delong).toMatch(/no sampling variance/);
});

test('thresholds of single cases decide as one threshold does where they are equal; one is needed for each', () => {
  const { labels, scores } = main;
  const each = Array.from(scores, () => options.threshold);
  const single = evaluateModel(labels, scores, options);
  const { threshold, ...byCase } = evaluateModel(labels, scores, { ...options, threshold: each });
  expect(threshold).toBeCloseTo(single.threshold, 12);
  expect(single).toMatchObject(byCase);
  for (const wrong of [each.slice(1), each.map((value, at) => (at === 0 ? Number.NaN : value))]) {
    expect(() => evaluateModel(labels, scores, { ...options, threshold: wrong })).toThrow(/thresholds/);
  }
});
