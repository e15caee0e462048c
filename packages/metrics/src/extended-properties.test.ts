import { expect, test } from 'vitest';
import * as metrics from './index.js';
import { seededRandom } from './seeded-random.js';

function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
function twoNormals(size: number, shift: number, seed: number) {
  const normal = normals(seed);
  const labels = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 1 : 0));
  return {
    labels,
    scores: labels.map((label) => normal() + shift * label),
    other: labels.map(() => normal()),
  };
}
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return metrics.MetricsError.isInstance(error) ? error.code : String(error);
  }
  return 'no error';
};

test("DeLong's variance is that of 10,000 bootstraps, and its interval covers 2,000 times as often as it says", () => {
  const { labels, scores } = twoNormals(400, 1, 3);
  const { standardError } = metrics.delongCi(labels, scores);
  // A percentile interval of level 68.27% is two standard errors wide; its Monte Carlo error is about 1%.
  const { lower, upper } = metrics.bootstrapCi(metrics.rocAuc, labels, scores, {
    resamples: 10_000,
    level: 0.6827,
  });
  expect(Math.abs((upper - lower) / 2 / standardError - 1)).toBeLessThan(0.04);
  const truth = 0.7602499389; // Phi(1 / sqrt 2)
  let covered = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const drawn = twoNormals(120, 1, 5000 + seed);
    const interval = metrics.delongCi(drawn.labels, drawn.scores, { method: 'logit' });
    if (interval.lower <= truth && truth <= interval.upper) covered++;
  }
  expect(covered / 2000).toBeGreaterThan(0.93);
  expect(covered / 2000).toBeLessThan(0.97);
});

test('partial areas add up to the AUC, are invariant, and turn round with the classes', () => {
  for (let seed = 1; seed < 60; seed++) {
    const { labels, scores } = twoNormals(30, 0.8, seed);
    const tied = scores.map((score) => Math.round(score * 2));
    const auc = metrics.rocAuc(labels, tied);
    const part = (from: number, to: number, over: 'specificity' | 'sensitivity') =>
      metrics.partialAuc(labels, tied, { over, from, to }).area;
    for (const over of ['specificity', 'sensitivity'] as const) {
      expect(part(0, 0.37, over) + part(0.37, 0.8, over) + part(0.8, 1, over)).toBeCloseTo(auc, 12);
      expect(metrics.partialAuc(labels, tied, { over, from: 0 }).standardised).toBeCloseTo(auc, 12);
    }
    const swapped = metrics.partialAuc(
      labels.map((label) => 1 - label),
      tied.map((score) => -(score ** 3)),
      { over: 'sensitivity', from: 0.6, to: 0.9 },
    );
    expect(swapped.area).toBeCloseTo(part(0.6, 0.9, 'specificity'), 12);
  }
});

test('intervals contain their estimate and are wider at a higher level', () => {
  for (let seed = 1; seed < 40; seed++) {
    const { labels, scores, other } = twoNormals(24, 0.5, seed);
    const contain = (of: (level: number) => { lower: number; upper: number }, estimate: number) => {
      const [narrow, wide] = [of(0.8), of(0.99)];
      expect(narrow.lower <= estimate && estimate <= narrow.upper).toBe(true);
      expect(wide.lower <= narrow.lower && narrow.upper <= wide.upper).toBe(true);
    };
    const { difference } = metrics.delongDifferenceCi(labels, scores, other);
    contain((level) => metrics.delongDifferenceCi(labels, scores, other, { level }), difference);
    contain((level) => metrics.delongUnpairedTest(labels, scores, labels, other, { level }), difference);
    contain((level) => metrics.spearmanCi(scores, other, { level }), metrics.spearman(scores, other).rho);
    contain((level) => metrics.clopperPearsonCi(seed % 20, 20, { level }), (seed % 20) / 20);
    const ratings = scores.map((score, i) => [score, score + other[i]!]);
    for (const form of ['1,1', '2,1', '3,1', '1,k', '2,k', '3,k'] as const)
      contain((level) => metrics.icc(ratings, { form, level }), metrics.icc(ratings, { form }).icc);
    const wilson = metrics.wilsonCi(seed % 20, 20);
    const exact = metrics.clopperPearsonCi(seed % 20, 20);
    expect(exact.upper - exact.lower).toBeGreaterThan(wilson.upper - wilson.lower - 0.02);
  }
});

test('the test and the interval of a paired difference are one calculation', () => {
  const { labels, scores, other } = twoNormals(50, 1, 9);
  const { aucA, aucB, z } = metrics.delongTest(labels, scores, other);
  const { difference, standardError } = metrics.delongDifferenceCi(labels, scores, other);
  expect(difference / standardError).toBeCloseTo(z, 12);
  expect(difference).toBeCloseTo(aucA - aucB, 15);
  expect(metrics.delongDifferenceCi(labels, scores, scores)).toMatchObject({ lower: 0, upper: 0 });
});

test('BCa moves the interval of a skewed statistic, and is exact where nothing varies', () => {
  const { labels, scores } = twoNormals(40, 2.2, 4);
  const options = { resamples: 2000, seed: 1 };
  const percentile = metrics.bootstrapCi(metrics.rocAuc, labels, scores, options);
  const bca = metrics.bootstrapCi(metrics.rocAuc, labels, scores, { ...options, method: 'bca' });
  expect(bca.estimate).toBe(percentile.estimate);
  expect(bca.lower).toBeLessThan(percentile.lower); // the AUC near 1 is skewed to the left
  const slow = metrics.bootstrapCi((l, s) => metrics.rocAuc(l, s), labels, scores, {
    ...options,
    method: 'bca',
  });
  expect(slow.lower).toBeCloseTo(bca.lower, 12);
  const perfect = metrics.bootstrapCi(metrics.rocAuc, [0, 0, 1, 1], [1, 2, 3, 4], { method: 'bca' });
  expect(perfect).toMatchObject({ lower: 1, upper: 1 });
  const paired = { ...options, method: 'bca' as const, clusters: labels.map((_, i) => i >> 1) };
  const { lower, upper, estimate } = metrics.bootstrapDifferenceCi(
    metrics.rocAuc,
    labels,
    scores,
    scores.map((score, i) => score + 2 * Math.sin(i)),
    paired,
  );
  expect(lower < estimate && estimate < upper).toBe(true);
  expect(code(() => metrics.bootstrapCi(metrics.rocAuc, [1, 0, 0, 0], [1, 2, 3, 4], { method: 'bca' }))).toBe(
    'TOO_FEW',
  );
});

test('permutation p under no effect is about uniform, small under an effect, and never 0', () => {
  let small = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { labels, other } = twoNormals(30, 0, 100 + seed);
    if (metrics.permutationTest(metrics.rocAuc, labels, other, { permutations: 199, seed }).p <= 0.1) small++;
  }
  expect(small).toBeGreaterThan(4); // binomial(200, 0.1) is 20 +- 4.2
  expect(small).toBeLessThan(40);
  const { labels, scores, other } = twoNormals(60, 3, 5);
  const strong = metrics.permutationTest(metrics.rocAuc, labels, scores, { permutations: 999 });
  expect(strong).toMatchObject({ p: 0.001, permutations: 999, exact: false });
  const options = { permutations: 999, clusters: labels.map((_, i) => i >> 1) };
  expect(metrics.permutationDifferenceTest(metrics.rocAuc, labels, scores, other, options).p).toBeLessThan(
    0.01,
  );
  expect(metrics.permutationDifferenceTest(metrics.rocAuc, labels, scores, scores, options).p).toBe(1);
});

test('beta calibration leaves calibrated probabilities, rises, and comes back from JSON', () => {
  const random = seededRandom(8);
  const p = Array.from({ length: 20_000 }, () => 0.02 + 0.96 * random());
  const labels = p.map((value) => (random() < value ? 1 : 0));
  const fitted = metrics.fitBeta(labels, p);
  [0.1, 0.5, 0.9].forEach((value, i) => {
    expect(Math.abs(fitted.transform([0.1, 0.5, 0.9])[i]! - value)).toBeLessThan(0.02);
  });
  const grid = [0, 0.001, 0.2, 0.7, 0.99, 1];
  const out = fitted.transform(grid);
  expect([...out].sort((x, y) => x - y)).toEqual(out);
  expect(metrics.restoreCalibrator(JSON.parse(JSON.stringify(fitted))).transform(grid)).toEqual(out);
  expect(code(() => fitted.transform([1.2]))).toBe('OUT_OF_RANGE');
  expect(code(() => metrics.fitBeta([0, 1], [0, 0.5]))).toBe('OUT_OF_RANGE');
  expect(code(() => metrics.fitBeta([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]))).toBe('NO_OPTIMUM');
  expect(code(() => metrics.fitBeta([1, 1, 0, 1, 0, 0], [0.1, 0.3, 0.2, 0.5, 0.4, 0.6]))).toBe('NO_OPTIMUM');
});

test("Uno's C is Harrell's without censoring; a perfect forecast has a Brier score of 0", () => {
  const normal = normals(2);
  const times = Array.from({ length: 40 }, () => Math.abs(normal()) + 0.1);
  const events = times.map(() => 1);
  const risks = times.map((time) => normal() - time);
  expect(metrics.unoConcordance(times, events, risks)).toBeCloseTo(
    metrics.concordanceIndex(times, events, risks),
    12,
  );
  const grid = [0.3, 0.6, 1];
  const known = times.map((time) => grid.map((at) => (time > at ? 1 : 0)));
  expect(metrics.integratedBrierScore(times, events, known, grid)).toBe(0);
});

test('surface distances: symmetric, zero for equal masks, and spacing counts', () => {
  const grid = { size: [6, 5, 4], spacing: [1, 2, 3] } as const;
  const one = (i: number, j: number, k: number) => {
    const mask = new Uint8Array(120);
    mask[i + 6 * (j + 5 * k)] = 1;
    return mask;
  };
  const apart = metrics.surfaceDistances(one(0, 0, 0), one(4, 3, 2), grid);
  expect(apart.hausdorff).toBeCloseTo(Math.hypot(4, 6, 6), 12);
  const random = seededRandom(3);
  const [a, b] = [0.3, 0.5].map((share) =>
    Uint8Array.from({ length: 120 }, () => (random() < share ? 1 : 0)),
  );
  const forth = metrics.surfaceDistances(a!, b!, grid);
  const back = metrics.surfaceDistances(b!, a!, grid);
  expect(back).toMatchObject({ averageAToB: forth.averageBToA, hausdorff95: forth.hausdorff95 });
  expect(metrics.surfaceDistances(a!, a!, grid)).toMatchObject({ hausdorff: 0, surfaceDice: 1 });
  expect(metrics.dice(a!, b!)).toBe(metrics.dice(b!, a!));
});

test('two classes in the several-class form are rocAuc', () => {
  const { labels, scores } = twoNormals(40, 1, 6);
  const rows = scores.map((score) => [-score, score]);
  for (const method of ['handTill', 'oneVsRest'] as const)
    expect(metrics.multiclassAuc(labels, rows, { method }).auc).toBeCloseTo(
      metrics.rocAuc(labels, scores),
      14,
    );
});

test('what has no value raises with a code', () => {
  const [l, s] = [
    [0, 0, 1, 1],
    [1, 2, 3, 4],
  ];
  const cube = { size: [2, 2, 1], spacing: [1, 1, 1] } as const;
  const codes: [string, () => unknown][] = [
    ['INVALID_OPTION', () => metrics.partialAuc(l, s, { from: 1 })],
    ['INVALID_OPTION', () => metrics.sensitivityAtSpecificity(l, s, 1.1)],
    ['ONE_CLASS', () => metrics.specificityAtSensitivity([1, 1], [1, 2], 0.5)],
    ['NO_VARIANCE', () => metrics.delongUnpairedTest(l, s, l, [4, 3, 2, 1])],
    ['TOO_FEW', () => metrics.delongUnpairedTest(l, s, [0, 1], [1, 2])],
    ['INVALID_OPTION', () => metrics.clopperPearsonCi(3, 2)],
    ['EMPTY', () => metrics.holm([])],
    ['OUT_OF_RANGE', () => metrics.holm([0.2, 1.2])],
    ['INVALID_LABEL', () => metrics.mcnemarTest([2], [1])],
    ['INVALID_OPTION', () => metrics.permutationTest(metrics.rocAuc, l, s, { permutations: 0 })],
    ['NOT_FINITE', () => metrics.permutationTest(() => Number.NaN, l, s)],
    ['TOO_FEW', () => metrics.spearmanCi([1, 2, 3], [1, 3, 2])],
    [
      'NO_VARIANCE',
      () =>
        metrics.icc([
          [1, 1],
          [2, 2],
          [3, 3],
        ]),
    ],
    [
      'NO_VARIANCE',
      () =>
        metrics.icc([
          [0.1, 0.3],
          [0.1, 0.3],
        ]),
    ],
    ['LENGTH_MISMATCH', () => metrics.icc([[1, 2], [1]])],
    ['TOO_FEW', () => metrics.icc([[1, 2]])],
    ['NO_VARIANCE', () => metrics.unoConcordance([1, 2], [0, 0], [1, 2])],
    ['OUT_OF_RANGE', () => metrics.survivalBrierScore([1, 2], [1, 1], [[0.5], [0.5]], [2])],
    ['LENGTH_MISMATCH', () => metrics.survivalBrierScore([1, 2], [1, 1], [[0.5]], [1])],
    ['TOO_FEW', () => metrics.integratedBrierScore([1, 2], [1, 1], [[0.5], [0.5]], [1])],
    [
      'ONE_CLASS',
      () =>
        metrics.multiclassAuc(
          [0, 1],
          [
            [1, 0, 0],
            [0, 1, 0],
          ],
        ),
    ],
    [
      'INVALID_LABEL',
      () =>
        metrics.multiclassAuc(
          [0, 2],
          [
            [1, 0],
            [0, 1],
          ],
        ),
    ],
    ['EMPTY', () => metrics.dice([0, 0], [0, 0])],
    ['EMPTY', () => metrics.surfaceDistances([1, 0, 0, 0], [0, 0, 0, 0], cube)],
    ['LENGTH_MISMATCH', () => metrics.surfaceDistances([1, 0], [1, 0], cube)],
  ];
  codes.forEach(([expected, run], i) => {
    expect(`${i} ${code(run)}`).toBe(`${i} ${expected}`);
  });
  expect(metrics.mcnemarTest([1, 0], [1, 0])).toMatchObject({ exactP: 1, midP: 1, chiSquare: 0 });
  expect(metrics.delongUnpairedTest(l, s, l, s)).toMatchObject({ t: 0, p: 1, lower: 0, upper: 0 });
});

test('speed: DeLong on 100,000 cases', () => {
  const { labels, scores, other } = twoNormals(100_000, 1, 1);
  const start = process.cpuUsage();
  metrics.delongTest(labels, scores, other);
  const { user, system } = process.cpuUsage(start); // microseconds; what else runs on the machine does not count
  expect((user + system) / 1000).toBeLessThan(1000); // measured 100 alone
});
