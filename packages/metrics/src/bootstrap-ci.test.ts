import { expect, test } from 'vitest';
import {
  bootstrapCi,
  bootstrapDifferenceCi,
  delongCi,
  f1Score,
  MetricsError,
  prAuc,
  rocAuc,
  rocBand,
  rocCurve,
} from './index.js';
import { seededRandom } from './seeded-random.js';

function normalData(
  size: number,
  shift: number,
  seed: number,
): { labels: number[]; scores: number[]; other: number[] } {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const labels = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 1 : 0));
  return {
    labels,
    scores: labels.map((label) => normal() + shift * label),
    other: labels.map((label) => normal() + 0.3 * label),
  };
}
const data = normalData(100, 1, 3);

test('the sorted-once path equals the statistic computed on each resample', () => {
  const tied = data.scores.map((score) => Math.round(score * 3) / 3);
  for (const stratified of [true, false]) {
    const options = { resamples: 300, seed: 5, stratified };
    for (const statistic of [rocAuc, prAuc]) {
      const slow = bootstrapCi((labels, scores) => statistic(labels, scores), data.labels, tied, options);
      const fast = bootstrapCi(statistic, data.labels, tied, options);
      expect(fast.estimate).toBe(slow.estimate);
      expect(fast.lower).toBeCloseTo(slow.lower, 12);
      expect(fast.upper).toBeCloseTo(slow.upper, 12);
    }
  }
});

test('a seed gives the same interval again, another seed another one', () => {
  const once = bootstrapCi(rocAuc, data.labels, data.scores, { seed: 1 });
  expect(bootstrapCi(rocAuc, data.labels, data.scores, { seed: 1 })).toEqual(once);
  expect(bootstrapCi(rocAuc, data.labels, data.scores, { seed: 2 }).lower).not.toBe(once.lower);
  expect(once).toMatchObject({ resamples: 2000, discarded: 0 });
});

test('agrees with DeLong on well-behaved data', () => {
  const large = normalData(600, 1, 8);
  const bootstrap = bootstrapCi(rocAuc, large.labels, large.scores, { resamples: 4000, seed: 1 });
  const delong = delongCi(large.labels, large.scores);
  // The Monte Carlo error of a 2.5% limit with 4000 resamples is about 0.0008 here; both are approximations besides.
  expect(Math.abs(bootstrap.lower - delong.lower)).toBeLessThan(0.004);
  expect(Math.abs(bootstrap.upper - delong.upper)).toBeLessThan(0.004);
});

test('covers the true AUC about as often as it says', () => {
  // AUC of N(1, 1) against N(0, 1) is Phi(1 / sqrt 2).
  const truth = 0.7602499389;
  let covered = 0;
  for (let seed = 0; seed < 300; seed++) {
    const { labels, scores } = normalData(100, 1, 1000 + seed);
    const { lower, upper } = bootstrapCi(rocAuc, labels, scores, { resamples: 400, seed });
    if (lower <= truth && truth <= upper) covered++;
  }
  // Binomial(300, 0.95): 0.95 +- 4 standard errors, and the percentile interval is known to be a little short.
  expect(covered / 300).toBeGreaterThan(0.9);
  expect(covered / 300).toBeLessThan(0.995);
});

test('clusters that only repeat a case give a wider interval than the same cases taken as independent', () => {
  const copies = 5;
  const repeat = <T>(values: T[]) => values.flatMap((value) => new Array<T>(copies).fill(value));
  const labels = repeat(data.labels);
  const scores = repeat(data.scores);
  const clusters = repeat(data.labels.map((_, i) => `patient ${i}`));
  const width = ({ lower, upper }: { lower: number; upper: number }) => upper - lower;
  const single = width(bootstrapCi(rocAuc, data.labels, data.scores, { seed: 4 }));
  const clustered = width(bootstrapCi(rocAuc, labels, scores, { seed: 4, clusters }));
  const naive = width(bootstrapCi(rocAuc, labels, scores, { seed: 4 }));
  expect(clustered).toBeCloseTo(single, 10);
  expect(naive).toBeLessThan(0.6 * clustered);
});

test('counts the resamples that gave no value', () => {
  const labels = [1, 0, 0, 0, 0, 0];
  const scores = [0.9, 0.1, 0.2, 0.3, 0.4, 0.5];
  const result = bootstrapCi(rocAuc, labels, scores, { resamples: 1000, seed: 1, stratified: false });
  // The only positive is left out of (5/6)^6 = 33.5% of resamples.
  expect(result.discarded).toBeGreaterThan(270);
  expect(result.discarded).toBeLessThan(400);
  expect(result.resamples).toBe(1000);
  let calls = 0;
  const onlyOnTheData = () => {
    if (calls++ > 0) throw new MetricsError({ code: 'ONE_CLASS', message: 'a resample without a value' });
    return 1;
  };
  expect(() => bootstrapCi(onlyOnTheData, labels, scores, { resamples: 50 })).toThrow(
    expect.objectContaining({ code: 'TOO_FEW' }),
  );
});

test("an error that is not a metric's comes through", () => {
  let calls = 0;
  const broken = () => {
    if (calls++ > 0) throw new RangeError('mine');
    return 1;
  };
  expect(() => bootstrapCi(broken, data.labels, data.scores, { resamples: 10 })).toThrow(RangeError);
});

test('a paired difference is tighter than two separate intervals, and exact for equal scores', () => {
  const options = { resamples: 1000, seed: 2 };
  const noisy = data.scores.map((score, i) => score + 0.2 * data.other[i]!);
  const difference = bootstrapDifferenceCi(rocAuc, data.labels, data.scores, noisy, options);
  const a = bootstrapCi(rocAuc, data.labels, data.scores, options);
  const b = bootstrapCi(rocAuc, data.labels, noisy, options);
  expect(difference.estimate).toBeCloseTo(a.estimate - b.estimate, 14);
  expect(difference.upper - difference.lower).toBeLessThan((a.upper - a.lower) / 2);
  const same = bootstrapDifferenceCi(rocAuc, data.labels, data.scores, data.scores, options);
  expect(same).toMatchObject({ estimate: 0, lower: 0, upper: 0 });
});

test('any statistic at a threshold', () => {
  const result = bootstrapCi((l, s) => f1Score(l, s, 0.5), data.labels, data.scores, {
    resamples: 500,
    seed: 1,
  });
  expect(result.lower).toBeLessThan(result.estimate);
  expect(result.upper).toBeGreaterThan(result.estimate);
});

test('the ROC band holds the curve and ends in the corner', () => {
  const { fpr, lower, upper } = rocBand(data.labels, data.scores, { resamples: 500, seed: 1, points: 21 });
  const curve = rocCurve(data.labels, data.scores);
  expect([fpr.length, fpr[0], fpr.at(-1), upper.at(-1)]).toEqual([21, 0, 1, 1]);
  fpr.forEach((at, i) => {
    const highest = Math.max(...curve.tpr.filter((_, k) => curve.fpr[k]! <= at));
    expect(lower[i]!).toBeLessThanOrEqual(highest);
    expect(upper[i]!).toBeGreaterThanOrEqual(highest - 0.04); // steps of 1/50 either side of a grid point
    if (i > 0) expect(lower[i]! >= lower[i - 1]! && upper[i]! >= upper[i - 1]!).toBe(true);
  });
});

test('2000 resamples of 1000 cases take well under a second, a million scores are ranked in seconds', () => {
  const { labels, scores } = normalData(1000, 1, 2);
  const before = performance.now();
  bootstrapCi(rocAuc, labels, scores, { resamples: 2000, seed: 1 });
  // Measured 110 ms on a busy 2-core machine; the bound allows a machine shared with other test runs.
  expect(performance.now() - before).toBeLessThan(1500);
  const million = normalData(300_000, 1, 2);
  const start = performance.now();
  rocAuc(million.labels, million.scores);
  delongCi(million.labels, million.scores);
  // A quadratic form would need 2e10 comparisons, minutes.
  expect(performance.now() - start).toBeLessThan(10_000);
});
