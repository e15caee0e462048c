import { expect, test } from 'vitest';
import { fitIsotonic, fitPlatt, fitTemperature, MetricsError, restoreCalibrator, rocAuc } from './index.js';

const labels = [0, 1, 0, 1, 1, 0, 1, 0];
const logits = [-2, 1.5, 1, 3, -0.5, -1, 0.2, 0.1];

test('a calibrator comes back from its JSON', () => {
  for (const fitted of [
    fitPlatt(labels, logits),
    fitTemperature(labels, logits),
    fitIsotonic(labels, logits),
  ]) {
    const saved = JSON.parse(JSON.stringify(fitted));
    expect(restoreCalibrator(saved).transform(logits)).toEqual(fitted.transform(logits));
  }
});

test('Platt stays finite on separable classes and on scores of any scale', () => {
  const separable = fitPlatt([0, 0, 1, 1], [-1, -0.5, 0.5, 1]);
  expect(separable.transform([-1, 1])[0]).toBeGreaterThan(0.1);
  const small = fitPlatt(labels, logits);
  const large = fitPlatt(
    labels,
    logits.map((logit) => 1e6 * logit + 1e6),
  );
  large.transform(logits.map((logit) => 1e6 * logit + 1e6)).forEach((p, i) => {
    expect(p).toBeCloseTo(small.transform(logits)[i]!, 9);
  });
});

test('temperature keeps the ranks and reaches zero slope of the likelihood', () => {
  const { temperature, transform } = fitTemperature(labels, logits);
  const calibrated = transform(logits);
  expect(rocAuc(labels, calibrated)).toBe(rocAuc(labels, logits));
  const slope = logits.reduce((sum, logit, i) => sum + logit * (calibrated[i]! - labels[i]!), 0);
  expect(Math.abs(slope)).toBeLessThan(1e-12);
  expect(temperature).toBeGreaterThan(0);
});

test('what is not a calibrator, or not a score, is refused', () => {
  const refused = (parameters: unknown) => {
    try {
      restoreCalibrator(parameters as { method: 'platt'; a: number; b: number });
    } catch (error) {
      return MetricsError.isInstance(error) && error.code;
    }
    return false;
  };
  expect(refused({ method: 'platt', a: 1 })).toBe('INVALID_OPTION');
  expect(refused({ method: 'temperature', temperature: 0 })).toBe('INVALID_OPTION');
  expect(refused({ method: 'isotonic', x: [1], y: [] })).toBe('INVALID_OPTION');
  expect(refused({ method: 'spline' })).toBe('INVALID_OPTION');
  expect(refused(undefined)).toBe('INVALID_OPTION');
  expect(() => fitPlatt(labels, logits).transform([Number.NaN])).toThrow(MetricsError);
});
