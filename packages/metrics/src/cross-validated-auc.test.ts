import { expect, test } from 'vitest';
import * as metrics from './index.js';
import { seededRandom } from './seeded-random.js';

function cohort(size: number, shift: number, seed: number) {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const labels = Array.from({ length: size }, (_, i) => i % 2);
  return {
    labels,
    scores: labels.map((label) => normal() + shift * label),
    other: labels.map((label) => normal() + (shift / 2) * label),
  };
}

test("one fold is DeLong's interval and test", () => {
  const { labels, scores, other } = cohort(60, 1, 2);
  const one = labels.map(() => 'fold');
  const { auc, lower, upper, standardError } = metrics.crossValidatedAuc(labels, scores, one, { level: 0.9 });
  const delong = metrics.delongCi(labels, scores, { level: 0.9 });
  for (const [ours, theirs] of [
    [auc, delong.auc],
    [lower, delong.lower],
    [upper, delong.upper],
    [standardError, delong.standardError],
  ])
    expect(ours).toBeCloseTo(theirs!, 12);
  const { z, p, difference } = metrics.crossValidatedAucDifference(labels, scores, other, one);
  const paired = metrics.delongTest(labels, scores, other);
  expect(z).toBeCloseTo(paired.z, 10);
  expect(p).toBeCloseTo(paired.p, 10);
  expect(difference).toBeCloseTo(paired.aucA - paired.aucB, 12);
});

test('several folds: the mean of their AUCs, their variances added; scales of folds do not matter', () => {
  const { labels, scores } = cohort(120, 1, 3);
  const folds = labels.map((_, i) => (i >> 1) % 3);
  const of = (fold: number) => {
    const at = folds.flatMap((each, i) => (each === fold ? [i] : []));
    return metrics.delongCi(
      at.map((i) => labels[i]!),
      at.map((i) => scores[i]!),
    );
  };
  const parts = [0, 1, 2].map(of);
  const result = metrics.crossValidatedAuc(labels, scores, folds);
  expect(result.auc).toBeCloseTo(
    parts.reduce((sum, { auc }) => sum + auc / 3, 0),
    12,
  );
  expect(result.standardError).toBeCloseTo(Math.hypot(...parts.map((part) => part.standardError)) / 3, 12);
  const moved = scores.map((score, i) => Math.exp(score) + 100 * folds[i]!);
  expect(metrics.crossValidatedAuc(labels, moved, folds)).toEqual(result);
});

test('the same rows again add nothing to what is known: the interval is that of one repetition', () => {
  const { labels, scores, other } = cohort(80, 1, 4);
  const folds = labels.map((_, i) => `a${(i >> 1) % 4}`);
  const once = metrics.crossValidatedAucDifference(labels, scores, other, folds);
  const twice = metrics.crossValidatedAucDifference(
    [...labels, ...labels],
    [...scores, ...scores],
    [...other, ...other],
    [...folds, ...folds.map((fold) => `again ${fold}`)],
    { clusters: [...labels, ...labels].map((_, i) => i % 80) },
  );
  expect(twice.standardError).toBeCloseTo(once.standardError, 12);
  expect(twice.p).toBeCloseTo(once.p, 10);
  expect(twice.folds).toBe(8);
});

test('its interval covers 2,000 times as often as it says, with as many folds and two rows a patient', () => {
  const truth = 0.7602499389; // Phi(1 / sqrt 2)
  let covered = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const { labels, scores } = cohort(200, 1, 9000 + seed);
    const folds = labels.map((_, i) => (i >> 1) % 4);
    const again = labels.map((_, i) => 4 + ((i >> 1) % 3));
    const { lower, upper } = metrics.crossValidatedAuc(
      [...labels, ...labels],
      [...scores, ...scores],
      [...folds, ...again],
      { clusters: [...labels, ...labels].map((_, i) => i % 200) },
    );
    if (lower <= truth && truth <= upper) covered++;
  }
  expect(covered / 2000).toBeGreaterThan(0.93);
  expect(covered / 2000).toBeLessThan(0.97);
});

test('what has no value raises with a code', () => {
  const code = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      return metrics.MetricsError.isInstance(error) ? error.code : error;
    }
  };
  expect(code(() => metrics.crossValidatedAuc([0, 1], [1, 2], [0]))).toBe('LENGTH_MISMATCH');
  expect(code(() => metrics.crossValidatedAuc([0, 1, 0, 1], [1, 2, 3, 4], [0, 0, 1, 1]))).toBe('TOO_FEW');
  expect(code(() => metrics.crossValidatedAuc([0, 1, 0, 1], [1, 2, 3, 4], [0, 1, 0, 1]))).toBe('ONE_CLASS');
  const same = metrics.crossValidatedAucDifference([0, 0, 1, 1], [1, 2, 3, 4], [2, 3, 4, 5], [0, 0, 0, 0]);
  expect(same).toMatchObject({ difference: 0, z: 0, p: 1 });
});
