import { describe, expect, test } from 'vitest';
import golden from './__fixtures__/conformal.json' with { type: 'json' };
import * as metrics from './index.js';
import { importanceOf } from './permutation-importance.js';
import { seededRandom } from './seeded-random.js';

/** Relative to 1, or to the value when it is larger. Both sides are float64 with sums in another order. */
function near(actual: number, expected: number, tolerance = 1e-9): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  );
}
const allNear = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance?: number) => {
  expect(actual.length).toBe(expected.length);
  Array.from(actual, (value, i) => near(value, expected[i]!, tolerance));
};

describe.each(golden.conformal)('conformal, level $level', (set) => {
  test('the sets of MAPIE', () => {
    const conformal = metrics.splitConformal(set.labels, set.probabilities, { level: set.level });
    expect(conformal.sets(set.new)).toEqual(set.sets);
  });
  test('the limits of each class', () => {
    const { limits } = metrics.splitConformal(set.labels, set.probabilities, {
      level: set.level,
      perClass: true,
    });
    allNear(limits, set.perClass, 1e-15);
  });
});

describe.each(golden.mahalanobis)('Mahalanobis', (set) => {
  test.each(Object.entries(set.models))('scikit-learn, shrinkage %s', (name, expected) => {
    const shrinkage = name === 'ledoitWolf' ? name : Number(name);
    const model = metrics.mahalanobis(set.rows, { shrinkage });
    allNear(model.squaredDistances(set.new), expected.squares);
    allNear(model.chiSquareP(set.new), expected.p);
    if ('shrinkage' in expected) near(model.shrinkage, expected.shrinkage as number);
  });
  test.skipIf(!set.leftOut)('training rows left out in turn are those of n fits', () => {
    allNear(metrics.mahalanobis(set.rows, { shrinkage: 0 }).reference, set.leftOut!);
  });
});

test('scikit-learn: permutation importance with its shuffles', () => {
  const { weights, rows, labels, orders, ...expected } = golden.importance;
  const predict = (given: number[][]) =>
    given.map((row) => row.reduce((sum, value, j) => sum + value * weights[j]!, 0));
  const result = importanceOf(metrics.rocAuc, predict, labels, rows, orders);
  near(result.baseline, expected.baseline);
  for (const { column, values, mean, deviation } of result.columns) {
    allNear(values, expected.importances[column]!);
    near(mean, expected.mean[column]!);
    near(deviation, expected.deviation[column]!);
  }
  const own = metrics.permutationImportance(metrics.rocAuc, predict, labels, rows, { repeats: 200, seed: 1 });
  expect(own).toEqual(
    metrics.permutationImportance(metrics.rocAuc, predict, labels, rows, { repeats: 200, seed: 1 }),
  );
  // The mean of 200 shuffles and of scikit-learn's 5 estimate the same number, with a standard error of about sd / sqrt(5).
  for (const { column, mean, deviation } of own.columns)
    expect(Math.abs(mean - expected.mean[column]!)).toBeLessThan(3 * deviation + 1e-12);
  expect(own.columns[2]).toMatchObject({ mean: 0, deviation: 0 }); // a weight of 0
});

/** A class with probability 1 - prevalence and normal scores; the rarer class gets the smaller probabilities, as of a
 * model fitted to both. */
function draw(count: number, random: () => number) {
  const labels = Array.from({ length: count }, (_, i) => (i < 2 ? i : Number(random() < 0.3)));
  const probabilities = labels.map(
    (label) =>
      1 /
      (1 + Math.exp(-(2 * label - 2 + Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.2832 * random())))),
  );
  return { labels, probabilities };
}

test('coverage on held-out data: marginal and within each class, over 400 splits', () => {
  const random = seededRandom(5);
  const total = { marginal: 0, one: 0, perClassOne: 0, perClassZero: 0 };
  const splits = 400;
  for (let split = 0; split < splits; split++) {
    const calibration = draw(99, random);
    const test = draw(200, random);
    const coverage = (perClass: boolean) => {
      const sets = metrics
        .splitConformal(calibration.labels, calibration.probabilities, { level: 0.9, perClass })
        .sets(test.probabilities);
      return metrics.conformalCoverage(test.labels, sets);
    };
    const [marginal, within] = [coverage(false), coverage(true)];
    total.marginal += marginal.marginal.estimate / splits;
    total.one += marginal.positives.estimate / splits;
    total.perClassOne += within.positives.estimate / splits;
    total.perClassZero += within.negatives.estimate / splits;
  }
  // 90 of 100 exactly for n = 99 (continuous scores); the standard error over 400 splits is about 0.002.
  expect(total.marginal).toBeGreaterThan(0.89);
  expect(total.marginal).toBeLessThan(0.91);
  expect(total.one).toBeLessThan(0.87); // the rarer class pays: why both are reported
  for (const share of [total.perClassOne, total.perClassZero]) {
    expect(share).toBeGreaterThan(0.89);
    expect(share).toBeLessThan(0.94);
  }
});

test('coverage counts', () => {
  const coverage = metrics.conformalCoverage([1, 0, 1, 0], [[0, 1], [1], [1], []]);
  expect(coverage).toMatchObject({ empty: 1, single: 2, both: 1, singleRight: { covered: 1, total: 2 } });
  expect(coverage.marginal).toMatchObject({ covered: 2, total: 4, estimate: 0.5 });
  expect(coverage.positives.estimate).toBe(1);
  expect(coverage.negatives.estimate).toBe(0);
  expect(metrics.conformalCoverage([1, 0], [[], []]).singleRight).toBeNull();
  // Too few cases for the level: every set holds both labels.
  expect(metrics.splitConformal([1, 0], [0.9, 0.1], { level: 0.9 }).sets([0, 1])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test('a case far from the training cases is the farthest', () => {
  const random = seededRandom(2);
  const rows = Array.from({ length: 80 }, () => [random(), random(), random()]);
  const model = metrics.mahalanobis(rows);
  expect(model.empiricalP([[9, 9, 9]])[0]).toBe(1 / 81);
  expect(model.empiricalP([[0.5, 0.5, 0.5]])[0]).toBeGreaterThan(0.9);
  const held = metrics.mahalanobis(rows, {
    reference: [
      [0, 0, 0],
      [5, 5, 5],
    ],
  });
  expect(
    held.empiricalP([
      [9, 9, 9],
      [1, 1, 1],
    ]),
  ).toEqual(Float64Array.of(1 / 3, 2 / 3));
});

test.each([
  ['INVALID_OPTION', () => metrics.splitConformal([1, 0], [0.2, 0.3], { level: 1 })],
  ['OUT_OF_RANGE', () => metrics.splitConformal([1, 0], [0.2, 1.3])],
  ['OUT_OF_RANGE', () => metrics.splitConformal([1, 0], [0.2, 0.3]).sets([Number.NaN])],
  ['ONE_CLASS', () => metrics.splitConformal([1, 1], [0.2, 0.3])],
  ['LENGTH_MISMATCH', () => metrics.conformalCoverage([1, 0], [[1]])],
  ['EMPTY', () => metrics.mahalanobis([])],
  ['TOO_FEW', () => metrics.mahalanobis([[1], [2]])],
  ['LENGTH_MISMATCH', () => metrics.mahalanobis([[1], [2, 3], [4]])],
  ['NOT_FINITE', () => metrics.mahalanobis([[1], [Number.NaN], [4]])],
  ['NO_VARIANCE', () => metrics.mahalanobis([[1], [1], [1]])],
  [
    'NO_VARIANCE',
    () =>
      metrics.mahalanobis(
        [
          [1, 2],
          [2, 4],
          [3, 6],
        ],
        { shrinkage: 0 },
      ),
  ],
  ['INVALID_OPTION', () => metrics.mahalanobis([[1], [2], [3]], { shrinkage: 2 })],
  ['LENGTH_MISMATCH', () => metrics.mahalanobis([[1], [2], [4]]).squaredDistances([[1, 2]])],
  ['EMPTY', () => metrics.permutationImportance(metrics.rocAuc, () => [], [], [])],
  [
    'LENGTH_MISMATCH',
    () => metrics.permutationImportance(metrics.rocAuc, () => [1, 2], [1, 0], [[1], [1, 2]]),
  ],
  ['LENGTH_MISMATCH', () => metrics.permutationImportance(metrics.rocAuc, () => [1], [1, 0], [[1], [2]])],
  [
    'INVALID_OPTION',
    () => metrics.permutationImportance(metrics.rocAuc, () => [1, 2], [1, 0], [[1], [2]], { repeats: 0 }),
  ],
] as const)('%s', (code, run) => expect(run).toThrow(expect.objectContaining({ code })));
