import { describe, expect, test } from 'vitest';
import golden from './__fixtures__/extended.json' with { type: 'json' };
import { bcaLimits } from './bca.js';
import { fUpperQuantile, fUpperTail, studentInterval } from './distributions.js';
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

describe.each(golden.binary)('$name', (set) => {
  const { labels, a, b } = set;

  test('partial AUC: scikit-learn, and the definition over sensitivity', () => {
    for (const [range, expected] of set.mcclish)
      near(metrics.partialAuc(labels, a, { from: 1 - range! }).standardised, expected!);
    for (const [from, to, area] of set.partialSensitivity)
      near(metrics.partialAuc(labels, a, { over: 'sensitivity', from: from!, to: to! }).area, area!);
  });

  test('operating points', () => {
    for (const [target, pair] of set.atSpecificity as [number, number[]][]) {
      const { sensitivity, specificity, threshold } = metrics.sensitivityAtSpecificity(labels, a, target);
      allNear([sensitivity, specificity], pair, 1e-15);
      expect(metrics.sensitivity(labels, a, threshold)).toBe(sensitivity);
    }
    for (const [target, pair] of set.atSensitivity as [number, number[]][]) {
      const { sensitivity, specificity, threshold } = metrics.specificityAtSensitivity(labels, a, target);
      allNear([specificity, sensitivity], pair, 1e-15);
      expect(metrics.specificity(labels, a, threshold)).toBe(specificity);
    }
  });

  test("pROC's unpaired DeLong", () => {
    const result = metrics.delongUnpairedTest(
      labels,
      a,
      set.other.map((i) => labels[i]!),
      set.other.map((i) => b[i]!),
    );
    near(result.t, set.unpaired.t);
    near(result.degreesOfFreedom, set.unpaired.df);
    near(result.p, set.unpaired.p);
    allNear([result.lower, result.upper], set.unpaired.limits);
  });

  test('calibration: netcal, equal mass, Murphy, betacal', () => {
    near(metrics.expectedCalibrationError(labels, a, { bins: 7 }), set.eceNetcal);
    near(metrics.expectedCalibrationError(labels, a, { bins: 5, strategy: 'quantile' }), set.eceMass);
    const parts = metrics.brierDecomposition(labels, a);
    allNear([parts.reliability, parts.resolution, parts.uncertainty], set.murphy);
    near(parts.brier, parts.reliability - parts.resolution + parts.uncertainty);
    const binned = metrics.brierDecomposition(labels, a, { bins: 10 });
    allNear([binned.reliability, binned.resolution, binned.withinBin], set.murphyBinned);
    const beta = metrics.fitBeta(labels, a);
    allNear([beta.a, beta.b, beta.c], set.beta.exact, 1e-6);
    // scikit-learn's L-BFGS (inside betacal) stops at a gradient of 1e-4 per case: probabilities agree to about 1e-4.
    allNear(beta.transform(set.beta.grid), set.beta.values, 5e-4);
  });

  test('dcurves: net benefit and interventions avoided', () => {
    const curve = metrics.decisionCurve(labels, a, set.dca.thresholds);
    allNear(
      curve.map((point) => point.netBenefit),
      set.dca.netBenefit,
    );
    allNear(
      curve.map((point) => point.interventionsAvoided),
      set.dca.avoided,
    );
  });

  test('statsmodels: McNemar', () => {
    const result = metrics.mcnemarTest(set.mcnemar.correct[0]!, set.mcnemar.correct[1]!);
    near(result.exactP, set.mcnemar.exact);
    near(result.midP, set.mcnemar.midP);
    near(result.chiSquare, set.mcnemar.chiSquare);
    near(result.chiSquareP, set.mcnemar.chiSquareP);
  });

  test('pingouin: interval of Spearman', () => {
    const fisher = metrics.spearmanCi(a, b, { method: 'fisher' });
    allNear([fisher.lower, fisher.upper], set.spearman.fisher);
    const { lower, upper } = metrics.spearmanCi(a, b);
    allNear([lower, upper], set.spearman.bonettWright);
  });
});

test.each(['greater', 'less', 'two-sided'] as const)('scipy: exact permutation tests, %s', (alternative) => {
  const { labels, a, b, label, difference } = golden.permutation;
  const one = metrics.permutationTest(metrics.rocAuc, labels, a, { alternative });
  expect(one).toMatchObject({ exact: true, permutations: 126 });
  near(one.p, label[alternative]);
  near(
    metrics.permutationTest((l, s) => metrics.rocAuc(l, s), labels, a, { alternative }).p,
    label[alternative],
  );
  const two = metrics.permutationDifferenceTest(metrics.rocAuc, labels, a, b, { alternative });
  expect(two).toMatchObject({ exact: true, permutations: 512 });
  near(two.p, difference[alternative]);
});

test('scipy: BCa limits of a given bootstrap distribution', () => {
  const { estimate, distribution, leftOut, level, limits } = golden.bca;
  allNear(bcaLimits(estimate, Float64Array.from(distribution).sort(), leftOut, level), limits);
});

test.each(golden.clopperPearson)('statsmodels: Clopper-Pearson of $successes / $total at $level', (row) => {
  const { lower, upper } = metrics.clopperPearsonCi(row.successes, row.total, { level: row.level });
  allNear([lower, upper], row.limits);
});

test('statsmodels: Holm', () => allNear(metrics.holm(golden.holm.p), golden.holm.adjusted));

describe.each(golden.icc)('pingouin: ICC of $name', ({ ratings, forms }) => {
  test.each(Object.keys(forms) as metrics.IccForm[])('form %s', (form) => {
    const expected = forms[form];
    const result = metrics.icc(ratings, { form });
    near(result.icc, expected.icc);
    near(result.f, expected.f);
    near(result.p, expected.p);
    expect(result.degreesOfFreedom).toEqual(expected.df);
    allNear([result.lower, result.upper], expected.limits);
    allNear([result.lower, result.upper], expected.rounded, 0.0051); // what pingouin itself reports, to two digits
  });
});

describe.each(golden.survival)('scikit-survival on $name', (set) => {
  const { times, events, risks, train } = set;
  test("Harrell's and Uno's C", () => {
    near(metrics.concordanceIndex(times, events, risks), set.harrell);
    near(metrics.unoConcordance(times, events, risks, { tau: set.tau }), set.uno);
    near(metrics.unoConcordance(times, events, risks, { tau: set.tauTrain, censoring: train }), set.unoTrain);
  });
  test('Brier scores', () => {
    allNear(metrics.survivalBrierScore(times, events, set.survival, set.grid), set.brier);
    near(metrics.integratedBrierScore(times, events, set.survival, set.grid), set.integrated);
  });
});

test('scikit-learn: several classes', () => {
  const { labels, scores, handTill, macro, weighted } = golden.multiclass;
  near(metrics.multiclassAuc(labels, scores).auc, handTill);
  near(metrics.multiclassAuc(labels, scores, { method: 'oneVsRest' }).auc, macro);
  near(metrics.multiclassAuc(labels, scores, { method: 'oneVsRest', average: 'weighted' }).auc, weighted);
});

describe.each(golden.masks)('MONAI on masks: $name', (set) => {
  const [size, spacing] = [set.size, set.spacing] as unknown as [
    [number, number, number],
    [number, number, number],
  ];
  const filled = (indices: number[]) => {
    const mask = new Uint8Array(size[0] * size[1] * size[2]);
    for (const index of indices) mask[index] = 1;
    return mask;
  };
  const [a, b] = [filled(set.a), filled(set.b)];
  test('Dice and distances', () => {
    near(metrics.dice(a, b), set.dice);
    const result = metrics.surfaceDistances(a, b, { size, spacing, toleranceMm: 1.5 });
    // MONAI keeps distances in float32.
    near(result.hausdorff, set.hausdorff, 1e-6);
    near(result.hausdorff95, set.hausdorff95, 1e-6);
    near(result.averageSymmetric, set.symmetric, 1e-6);
    near(result.averageAToB, set.aToB, 1e-6);
    near(result.surfaceDice, set.surfaceDice, 1e-6);
  });
});

// scipy's own relative error is about 1e-14.
test('scipy: F and t', () => {
  for (const [f, a, b, tail] of golden.fTail) near(fUpperTail(f!, a!, b!) / tail!, 1, 1e-11);
  for (const [tail, a, b, f] of golden.fQuantile) near(fUpperQuantile(tail!, a!, b!), f!, 1e-11);
  for (const [level, df, t] of golden.studentInterval) near(studentInterval(level!, df!), t!, 1e-11);
});
