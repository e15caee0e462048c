import { expect, test } from 'vitest';
import * as metrics from './index.js';
import { seededRandom } from './seeded-random.js';

/** Random labels of both classes and coarse scores with many ties. */
function draw(seed: number): { labels: number[]; a: number[]; b: number[] } {
  const random = seededRandom(seed);
  const size = 4 + Math.floor(random() * 40);
  const labels = Array.from({ length: size }, (_, i) => (i < 2 ? 0 : i < 4 ? 1 : random() < 0.5 ? 1 : 0));
  const coarse = 2 + Math.floor(random() * 20);
  const score = () => (1 + Math.floor(random() * (coarse - 1))) / (coarse + 1);
  return { labels, a: labels.map(score), b: labels.map(score) };
}
const sets = Array.from({ length: 150 }, (_, seed) => draw(seed + 1));

test('AUC equals the count over all pairs, and turns round with the scores or the labels', () => {
  for (const { labels, a } of sets) {
    let wins = 0;
    let pairs = 0;
    labels.forEach((positive, i) => {
      labels.forEach((negative, j) => {
        if (positive !== 1 || negative !== 0) return;
        pairs++;
        wins += a[i]! > a[j]! ? 1 : a[i]! === a[j]! ? 0.5 : 0;
      });
    });
    const auc = metrics.rocAuc(labels, a);
    expect(auc).toBe(wins / pairs);
    const turned = a.map((score) => -score);
    const swapped = labels.map((label) => 1 - label);
    expect(metrics.rocAuc(labels, turned)).toBeCloseTo(1 - auc, 14);
    expect(metrics.rocAuc(swapped, turned)).toBeCloseTo(auc, 14);
  }
});

test('AUC, PR-AUC and DeLong depend on ranks alone and not on the order of cases', () => {
  for (const { labels, a, b } of sets) {
    const monotone = (score: number) => 3 * score ** 3 - 7;
    const backwards = <T>(values: T[]) => [...values].reverse();
    for (const metric of [metrics.rocAuc, metrics.prAuc]) {
      expect(metric(labels, a.map(monotone))).toBe(metric(labels, a));
      expect(metric(backwards(labels), backwards(a))).toBe(metric(labels, a));
    }
    const z = (x: number[], y: number[], l = labels) => metrics.delongTest(l, x, y).z;
    let plain: number;
    try {
      plain = z(a, b);
    } catch (error) {
      expect(metrics.MetricsError.isInstance(error) && error.code).toBe('NO_VARIANCE');
      continue;
    }
    expect(z(a.map(monotone), b)).toBe(plain);
    expect(z(b, a)).toBeCloseTo(-plain, 12);
    expect(z(backwards(a), backwards(b), backwards(labels))).toBeCloseTo(plain, 10);
    expect(metrics.delongTest(labels, a, a.map(monotone))).toMatchObject({ z: 0, p: 1 });
  }
});

test('the ROC curve rises from (0, 0) to (1, 1) and its area is the AUC', () => {
  for (const { labels, a } of sets) {
    const { fpr, tpr, thresholds } = metrics.rocCurve(labels, a);
    expect([fpr[0], tpr[0], fpr.at(-1), tpr.at(-1)]).toEqual([0, 0, 1, 1]);
    let area = 0;
    for (let i = 1; i < fpr.length; i++) {
      expect(fpr[i]! >= fpr[i - 1]! && tpr[i]! >= tpr[i - 1]!).toBe(true);
      area += ((fpr[i]! - fpr[i - 1]!) * (tpr[i]! + tpr[i - 1]!)) / 2;
      expect(metrics.sensitivity(labels, a, thresholds[i]!)).toBeCloseTo(tpr[i]!, 14);
      expect(metrics.specificity(labels, a, thresholds[i]!)).toBeCloseTo(1 - fpr[i]!, 14);
    }
    expect(area).toBeCloseTo(metrics.rocAuc(labels, a), 12);
  }
});

test("Youden's threshold is the best of all thresholds and an observed score", () => {
  for (const { labels, a } of sets) {
    const index = (threshold: number) => 2 * metrics.balancedAccuracy(labels, a, threshold) - 1;
    const chosen = metrics.youdenThreshold(labels, a);
    expect(a).toContain(chosen);
    for (const score of a) {
      expect(index(score)).toBeLessThanOrEqual(index(chosen) + 1e-12);
      if (score > chosen) expect(index(score)).toBeLessThan(index(chosen));
    }
  }
});

test('metrics at a threshold agree with the confusion matrix, whose counts add up', () => {
  for (const { labels, a } of sets) {
    const { tp, fp, tn, fn } = metrics.confusion(labels, a, 0.5);
    expect(tp + fp + tn + fn).toBe(labels.length);
    expect(metrics.balancedAccuracy(labels, a, 0.5)).toBeCloseTo((tp / (tp + fn) + tn / (tn + fp)) / 2, 15);
    expect(metrics.confusion(labels, a, -Infinity)).toMatchObject({ tn: 0, fn: 0 });
    expect(metrics.confusion(labels, a, Infinity)).toMatchObject({ tp: 0, fp: 0 });
    expect(metrics.f1Score(labels, a, Infinity)).toBe(0);
  }
});

test('calibrators give probabilities that do not fall as the score rises', () => {
  for (const { labels, a } of sets) {
    const grid = Array.from({ length: 50 }, (_, i) => -1 + i / 16);
    const isotonic = metrics.fitIsotonic(labels, a).transform(grid);
    expect(isotonic.every((p, i) => p >= 0 && p <= 1 && (i === 0 || p >= isotonic[i - 1]!))).toBe(true);
    // The pools keep the mean: calibrated probabilities add up to the positives.
    const fitted = metrics.fitIsotonic(labels, a).transform(a);
    const positives = labels.reduce((sum, label) => sum + label, 0);
    expect(fitted.reduce((sum, p) => sum + p, 0)).toBeCloseTo(positives, 9);
  }
});

test('concordance of an uncensored binary time is the AUC', () => {
  for (const { labels, a } of sets) {
    const times = labels.map((label) => 2 - label);
    expect(
      metrics.concordanceIndex(
        times,
        labels.map(() => 1),
        a,
      ),
    ).toBeCloseTo(metrics.rocAuc(labels, a), 14);
  }
});

test('without censoring Kaplan-Meier is the share still alive', () => {
  for (const { a } of sets) {
    const curve = metrics.kaplanMeier(
      a,
      a.map(() => 1),
    );
    curve.times.forEach((time, i) => {
      expect(curve.survival[i]!).toBeCloseTo(a.filter((value) => value > time).length / a.length, 12);
      expect(curve.lower[i]! <= curve.survival[i]! && curve.survival[i]! <= curve.upper[i]!).toBe(true);
    });
  }
});

test('Wilson limits hold the estimate and stay within [0, 1]', () => {
  for (let total = 1; total < 30; total++) {
    for (let successes = 0; successes <= total; successes++) {
      const { estimate, lower, upper } = metrics.wilsonCi(successes, total);
      expect(lower >= 0 && lower <= estimate && estimate <= upper && upper <= 1).toBe(true);
    }
  }
});
