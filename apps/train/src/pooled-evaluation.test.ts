import { delongTest, rocAuc } from '@onco-response/metrics';
import { expect, test } from 'vitest';
import { type CollectedTrial, poolCases } from './pool-cases.js';
import { chooseOnInnerFolds, evaluatePooled } from './pooled-evaluation.js';
import type { TrialResult } from './trial.js';

const LABELS = [0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1] as const;
const caseId = (i: number) => `case-${String(i + 1).padStart(4, '0')}`;

/** A trial that tests every `folds`-th case and gives it `score(case)`. */
function trial(
  {
    fold,
    folds = 3,
    innerOf = null,
    seed = 0,
  }: { fold: number; folds?: number; innerOf?: string | null; seed?: number },
  score: (i: number) => number,
): CollectedTrial {
  const name = innerOf === null ? `fold-${fold}` : `${innerOf}-inner-${fold}`;
  return {
    result: { fold: name, innerOf, seed, threshold: 0.4 + 0.1 * fold, volumeThreshold: 0.5 } as TrialResult,
    predictions: LABELS.flatMap((label, i) =>
      i % folds === fold
        ? [
            {
              caseId: caseId(i),
              split: 'test' as const,
              label,
              logit: 0,
              probability: score(i),
              lesionVolumeMm3: 1,
              volumeOnlyProbability: (i % 5) / 5,
            },
          ]
        : [],
    ),
  };
}

const options = {
  bootstrap: { resamples: 100, seed: 1, level: 0.95 },
  patientOf: new Map(LABELS.map((_, i) => [caseId(i), `p${i >> 1}`])),
};
const folds = (score: (i: number) => number, seed = 0) =>
  [0, 1, 2].map((fold) => trial({ fold, seed }, score));

test('probabilities are averaged by case over seeds, then pooled over folds', () => {
  const first = (i: number) => (i * 0.37) % 1;
  const second = (i: number) => (i * 0.61) % 1;
  const trials = [...folds(first, 1), ...folds(second, 2)];
  const pooled = poolCases(trials, 'test');
  expect(pooled.map(({ probability }) => probability)).toEqual(
    LABELS.map((_, i) => (first(i) + second(i)) / 2),
  );
  const reference = folds(second, 1);
  const { model, againstFirst, threshold, folds: perFold } = evaluatePooled(trials, reference, options);
  const scores = pooled.map(({ probability }) => probability);
  expect(model.rocAuc.estimate).toBe(rocAuc([...LABELS], scores));
  expect(model.patients).toBe(6);
  expect(againstFirst?.delong?.p).toBe(
    delongTest(
      [...LABELS],
      scores,
      LABELS.map((_, i) => second(i)),
    ).p,
  );
  expect(threshold).toBeCloseTo(0.5, 12); // the mean of 0.4, 0.5 and 0.6
  expect(perFold.map(({ cases, positives }) => [cases, positives])).toEqual([
    [4, 2],
    [4, 2],
    [4, 2],
  ]);
  expect(evaluatePooled(reference, reference, options).againstFirst).toBeNull();
});

test('within folds, only cases that one model scored are compared', () => {
  const score = (i: number) => (i * 0.37) % 1;
  const other = (i: number) => (i * 0.61) % 1;
  // A model's scores may lie anywhere: moved fold by fold, the pooled AUC changes and that within folds does not.
  const moved = folds((i) => (score(i) + 10 * (i % 3)) / 40);
  const inFold = (of: (i: number) => number) =>
    [0, 1, 2]
      .map((fold) => LABELS.flatMap((label, i) => (i % 3 === fold ? [{ label, score: of(i) }] : [])))
      .map((rows) =>
        rocAuc(
          rows.map(({ label }) => label),
          rows.map((row) => row.score),
        ),
      )
      .reduce((sum, auc) => sum + auc / 3, 0);
  const { withinFolds, model } = evaluatePooled(moved, folds(other), options);
  expect(withinFolds.model).toMatchObject({ folds: 3, auc: expect.closeTo(inFold(score), 12) });
  expect(model.rocAuc.estimate).not.toBeCloseTo(inFold(score), 2);
  expect(withinFolds.againstFirst).toMatchObject({
    difference: expect.closeTo(inFold(score) - inFold(other), 12),
  });
  const reference = folds(score);
  expect(evaluatePooled(reference, reference, options).withinFolds.againstFirst).toBeNull();
});

test('a fold whose cases are of one class has no AUC; the pool has', () => {
  const trials = [0, 1].map((fold) => trial({ fold, folds: 2 }, (i) => i / 12));
  for (const each of trials)
    each.predictions = each.predictions.filter(({ label }, i) => i > 1 || label === 0);
  const one = {
    ...trials[0],
    predictions: trials[0]?.predictions.filter(({ label }) => label === 0),
  } as CollectedTrial;
  const {
    folds: perFold,
    model,
    withinFolds,
  } = evaluatePooled([one, trials[1] as CollectedTrial], [one, trials[1] as CollectedTrial], options);
  expect(withinFolds.model).toHaveProperty('notDefined');
  expect(perFold[0]?.rocAuc).toBeNull();
  expect(perFold[1]?.rocAuc?.estimate).toBeGreaterThanOrEqual(0);
  expect(model.rocAuc.estimate).toBeGreaterThan(0);
});

test('nested: the inner folds choose, whatever the outer folds would say', () => {
  const good = (i: number) => LABELS[i] as number;
  const bad = (i: number) => 1 - (LABELS[i] as number);
  const study = (innerScore: (fold: string) => (i: number) => number, outer: (i: number) => number) =>
    [0, 1].flatMap((fold) => [
      trial({ fold, folds: 2 }, outer),
      ...[0, 1].map((inner) =>
        trial({ fold: inner, folds: 2, innerOf: `fold-${fold}` }, innerScore(`fold-${fold}`)),
      ),
    ]);
  const chosen = chooseOnInnerFolds(
    new Map([
      ['a', study((fold) => (fold === 'fold-0' ? good : bad), bad)],
      ['b', study((fold) => (fold === 'fold-0' ? bad : good), good)],
    ]),
  );
  expect([...chosen]).toEqual([
    ['fold-0', 'a'],
    ['fold-1', 'b'],
  ]);
});

test("a case is judged by the threshold of the fold that tested it, not by the folds' mean", () => {
  // thresholds 0.4, 0.5 and 0.6 by fold; every score lies between its own threshold and the mean, or beyond both
  const score = (i: number) => [0.45, 0.5, 0.55][i % 3]!;
  const { model, threshold } = evaluatePooled(folds(score), folds(score), options);
  expect(threshold).toBeCloseTo(0.5, 12);
  const calledPositive = LABELS.filter((_, i) => i % 3 < 2); // 0.45 >= 0.4, 0.5 >= 0.5, 0.55 < 0.6
  expect(model.confusion.tp).toBe(calledPositive.filter((label) => label === 1).length);
  expect(model.confusion.fp).toBe(calledPositive.filter((label) => label === 0).length);
  expect(model.accuracy.estimate).toBe((model.confusion.tp + model.confusion.tn) / LABELS.length);
});
