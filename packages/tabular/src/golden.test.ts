import { describe, expect, test } from 'vitest';
import golden from './__fixtures__/golden.json' with { type: 'json' };
import { fitLogistic, fitPipeline, restorePipeline } from './index.js';

/** 1e-9 relative to 1, or to the value when it is larger: both sides solve to a gradient of rounding. */
function allNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-9): void {
  expect(actual.length).toBe(expected.length);
  Array.from(actual, (value, i) =>
    expect(Math.abs(value - expected[i]!), `${value} against ${expected[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i]!)),
    ),
  );
}

describe.each(golden.logistic)('scikit-learn: $name', (set) => {
  test('coefficients and probabilities', () => {
    const model = fitLogistic(set.x, set.y, {
      c: set.c ?? Number.POSITIVE_INFINITY,
      classWeight: set.classWeight as 'none' | 'balanced',
    });
    allNear(model.coefficients, set.coefficients, 1e-8);
    allNear([model.intercept], [set.intercept], 1e-8);
    allNear(model.probabilities(set.x), set.probabilities, 1e-8);
    // Its default solver stops at a gradient of 1e-4.
    allNear(model.coefficients, set.lbfgs, 5e-3);
  });
});

describe.each(golden.pipeline)('scikit-learn: pipeline $name', (set) => {
  const pipeline = fitPipeline(set.train, set.labels, {
    numeric: ['age', 'log_volume', 'constant'],
    categorical: ['stage', 'receptor'],
    c: set.c,
  });
  test('what the model sees', () => {
    pipeline.transform(set.test).forEach((row, i) => {
      allNear(row, set.transformed[i]!, 1e-12);
    });
    expect(pipeline.features.length).toBe(set.coefficients.length);
  });
  test('coefficients and probabilities', () => {
    allNear(pipeline.model.coefficients, set.coefficients, 1e-8);
    allNear([pipeline.model.intercept], [set.intercept], 1e-8);
    allNear(pipeline.probabilities(set.test), set.probabilities, 1e-8);
  });
  test('the same from its JSON', () => {
    const restored = restorePipeline(JSON.parse(JSON.stringify(pipeline)));
    expect(restored.probabilities(set.test)).toEqual(pipeline.probabilities(set.test));
    expect(restored.features).toEqual(pipeline.features);
  });
});
