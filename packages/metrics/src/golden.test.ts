import { describe, expect, test } from 'vitest';
import golden from './__fixtures__/golden.json' with { type: 'json' };
import * as metrics from './index.js';

/** Closed formulas agree with the references to rounding; 1e-9 is relative to 1, or to the value when it is larger. */
function near(actual: number, expected: number, tolerance = 1e-9): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  );
}
const allNear = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance?: number) => {
  expect(actual.length).toBe(expected.length);
  Array.from(actual, (value, i) => near(value, expected[i]!, tolerance));
};
/** The references' own optimisers stop at gradients of 1e-5 to 1e-8, so fitted parameters agree to 1e-6 at best. */
const FITTED = 1e-6;

describe('the data set of the systems reference', () => {
  const labels = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0];
  const a = [0.9, 0.8, 0.7, 0.55, 0.3, 0.6, 0.4, 0.35, 0.3, 0.2, 0.1];
  const b = [0.7, 0.9, 0.4, 0.6, 0.5, 0.65, 0.2, 0.45, 0.35, 0.5, 0.15];
  const logits = a.map((p) => Math.log(p / (1 - p)));
  // Printed there with ten digits.
  test('DeLong', () => {
    const result = metrics.delongTest(labels, a, b);
    near(result.aucA, 0.85);
    near(result.aucB, 0.8166666667, 1e-10);
    allNear(result.covariance.flat(), [0.0166111111, 0.0056388889, 0.0056388889, 0.0182222222], 1e-10);
    near(result.z, 0.2171861214, 1e-10);
    near(result.p, 0.8280633, 1e-7);
  });
  test('calibration', () => {
    const platt = metrics.fitPlatt(labels, logits);
    near(platt.a, -0.973905, 1e-6);
    near(platt.b, 0.0814945, 1e-6);
    near(metrics.fitTemperature(labels, logits).temperature, 0.5574294, 1e-6);
    allNear(
      metrics.fitIsotonic(labels, a).transform(a),
      [1, 1, 1, 0.5, 0.25, 0.5, 0.25, 0.25, 0.25, 0, 0],
      1e-15,
    );
    near(metrics.expectedCalibrationError(labels, a, { bins: 10 }), 0.2);
    near(metrics.brierScore(labels, a), 0.1468181818, 1e-10);
  });
  test('net benefit', () => {
    const curve = metrics.decisionCurve(labels, a, [0.2, 0.4, 0.5]);
    allNear(
      curve.map((point) => point.netBenefit),
      [0.3409091, 0.2424242, 0.2727273],
      1e-7,
    );
    allNear(
      curve.map((point) => point.treatAll),
      [0.3181818, 0.0909091, -0.0909091],
      1e-7,
    );
  });
});

describe.each(golden.binary)('scikit-learn, scipy and statsmodels on $name', (set) => {
  const { labels, a, b, threshold } = set;
  const logits = a.map((p) => Math.log(p) - Math.log1p(-p));

  test('areas and curves', () => {
    near(metrics.rocAuc(labels, a), set.rocAuc);
    near(metrics.prAuc(labels, a), set.prAuc);
    const roc = metrics.rocCurve(labels, a);
    allNear(roc.fpr, set.roc.fpr);
    allNear(roc.tpr, set.roc.tpr);
    expect(roc.thresholds[0]).toBe(Infinity);
    expect(roc.thresholds.slice(1)).toEqual(set.roc.thresholds);
    const pr = metrics.prCurve(labels, a);
    allNear(pr.precision, set.pr.precision);
    allNear(pr.recall, set.pr.recall);
    expect(pr.thresholds).toEqual(set.pr.thresholds);
  });

  test('metrics at a threshold', () => {
    expect(metrics.confusion(labels, a, threshold)).toEqual(set.confusion);
    near(metrics.f1Score(labels, a, threshold), set.f1Score);
    near(metrics.balancedAccuracy(labels, a, threshold), set.balancedAccuracy);
    near(metrics.sensitivity(labels, a, threshold), set.sensitivity);
    near(metrics.specificity(labels, a, threshold), set.specificity);
  });

  test('DeLong against the sum over all pairs', () => {
    const result = metrics.delongTest(labels, a, b);
    allNear(result.covariance.flat(), set.delong.covariance.flat());
    near(result.z, set.delong.z);
    near(result.p, set.delong.p);
    const interval = metrics.delongCi(labels, a, { level: 0.95 });
    near(interval.auc, set.rocAuc);
    near(interval.standardError, set.delong.standardError);
    near(interval.lower, set.delong.lower);
    near(interval.upper, set.delong.upper);
    const logit = metrics.delongCi(labels, a, { method: 'logit' });
    allNear([logit.lower, logit.upper], set.delong.logit);
  });

  test('calibration measures', () => {
    near(metrics.brierScore(labels, a), set.brierScore);
    near(metrics.expectedCalibrationError(labels, a, { bins: 10 }), set.ecePositive);
    near(metrics.expectedCalibrationError(labels, a, { bins: 15, of: 'confidence' }), set.eceConfidence);
    const curve = metrics.calibrationCurve(labels, a, { bins: 10 });
    allNear(
      curve.map((bin) => bin.observed),
      set.calibration[0]!,
    );
    allNear(
      curve.map((bin) => bin.predicted),
      set.calibration[1]!,
    );
    const quantiles = metrics.calibrationCurve(labels, a, { bins: 5, strategy: 'quantile' });
    allNear(
      quantiles.map((bin) => bin.observed),
      set.calibrationQuantile[0]!,
    );
    allNear(
      quantiles.map((bin) => bin.predicted),
      set.calibrationQuantile[1]!,
    );
    const cox = metrics.calibrationSlopeIntercept(labels, a);
    near(cox.slope, set.cox.slope, FITTED);
    near(cox.intercept, set.cox.intercept, FITTED);
    near(cox.calibrationInTheLarge, set.cox.calibrationInTheLarge, FITTED);
  });

  test('calibrators', () => {
    const platt = metrics.fitPlatt(labels, logits);
    // sklearn's L-BFGS stops at a gradient of 1e-6: the parameters then agree to about 1e-4 of the curvature's inverse.
    near(platt.a, set.platt.a, 1e-5);
    near(platt.b, set.platt.b, 1e-5);
    near(metrics.fitTemperature(labels, logits).temperature, set.temperature, FITTED);
    allNear(metrics.fitIsotonic(labels, a).transform(set.isotonic.grid), set.isotonic.values);
  });

  test('decision curve and rank correlation', () => {
    allNear(
      metrics.decisionCurve(labels, a, [0.1, 0.25, 0.5, 0.75]).map((point) => point.netBenefit),
      set.netBenefit,
    );
    const { rho, p } = metrics.spearman(a, b);
    near(rho, set.spearman.rho);
    near(p, set.spearman.p);
  });
});

describe.each(golden.survival)('lifelines on $name', (set) => {
  test('Kaplan-Meier', () => {
    const curve = metrics.kaplanMeier(set.times, set.events);
    allNear(curve.survival, set.survival);
    allNear(curve.lower, set.lower);
    allNear(curve.upper, set.upper);
    expect(curve.median).toBe(set.median);
  });
  test('log-rank', () => {
    const result = metrics.logRank(set.times, set.events, set.groups);
    near(result.statistic, set.logRank.statistic);
    near(result.p, set.logRank.p);
  });
  test('concordance', () =>
    near(metrics.concordanceIndex(set.times, set.events, set.risks), set.concordance));
});

test.each(golden.wilson)('statsmodels: Wilson of $successes / $total at $level', (row) => {
  const { lower, upper } = metrics.wilsonCi(row.successes, row.total, { level: row.level });
  allNear([lower, upper], row.limits);
});
