import { describe, expect, test } from 'vitest';
import { type CohortCase, checkFolds, type FoldPlanOptions, kFold, planFolds, sealFolds } from './index.js';
import { cohort } from './test-cohort.js';

const code = (wrong: string) => expect.objectContaining({ code: wrong });
const sites = ['Bern', 'Milan', 'Oslo', 'Turin'];
/** 96 patients, every third positive, a quarter of them at each site in blocks. */
const cases = cohort(96).map((current) => ({
  ...current,
  site: sites[Math.floor(Number(current.patientId.slice(1)) / 24)]!,
}));
const byId = new Map(cases.map((current) => [current.caseId, current]));
const patientsOf = (caseIds: readonly string[]) => new Set(caseIds.map((id) => byId.get(id)!.patientId));
const isPositive = (patient: string) => Number(patient.slice(1)) % 3 === 1;

const schemes: FoldPlanOptions[] = [
  { scheme: 'holdOut', seed: 3 },
  { scheme: 'holdOut', seed: 3, stratifyBySite: true },
  { scheme: 'kFold', folds: 4, seed: 3 },
  { scheme: 'kFold', folds: 4, seed: 3, stratifyBySite: true },
  { scheme: 'repeatedKFold', folds: 3, repetitions: 3, seed: 3 },
  { scheme: 'nested', folds: 4, innerFolds: 3, seed: 3 },
  { scheme: 'leaveOneSiteOut', seed: 3 },
];

describe.each(schemes)('$scheme, by site $stratifyBySite', (options) => {
  test('every patient is in one split of every fold, and both classes are in all of them', async () => {
    const plan = await planFolds(cases, options);
    for (const fold of plan.folds.flatMap((each) => [each, ...each.inner])) {
      const parts = [fold.train, fold.validation, fold.test].map(patientsOf);
      for (const part of parts) {
        const positives = [...part].filter(isPositive).length;
        expect(positives).toBeGreaterThan(0);
        expect(Math.abs(positives - part.size / 3)).toBeLessThanOrEqual(1); // a third are positive
      }
      const together = parts.flatMap((part) => [...part]);
      expect(new Set(together).size).toBe(together.length);
    }
    for (const fold of plan.folds) {
      expect([...fold.train, ...fold.validation, ...fold.test].sort()).toEqual([...byId.keys()]);
    }
  });

  test('the seed decides, JSON keeps it, and no patient is named', async () => {
    const plan = await planFolds(cases, options);
    expect(await planFolds(cases, options)).toEqual(plan);
    expect((await planFolds(cases, { ...options, seed: 4 })).folds).not.toEqual(plan.folds);
    const text = JSON.stringify(plan);
    expect(await checkFolds(JSON.parse(text), cases)).toEqual(plan);
    expect(text).not.toMatch(/"p\d+"/);
  });
});

test('the folds of each repetition test everybody once, and repetitions differ', async () => {
  const { folds } = await planFolds(cases, { scheme: 'repeatedKFold', folds: 3, repetitions: 3, seed: 1 });
  expect(folds.map(({ name }) => name)).toEqual(
    [0, 1, 2].flatMap((r) => [0, 1, 2].map((f) => `repeat-${r}-fold-${f}`)),
  );
  const tested = [0, 1, 2].map((r) => folds.filter((fold) => fold.repetition === r).map((fold) => fold.test));
  for (const tests of tested) expect(tests.flat().sort()).toEqual([...byId.keys()]);
  expect(tested[0]).not.toEqual(tested[1]);
  expect(tested[1]).not.toEqual(tested[2]);
});

test('kFold plans the folds that kFold gives', async () => {
  const plan = await planFolds(cases, { scheme: 'kFold', folds: 4, seed: 9 });
  const folds = await kFold(cases, { folds: 4, seed: 9 });
  expect(
    plan.folds.map(({ train, validation, test: tested }) => ({ train, validation, test: tested })),
  ).toEqual(folds.map((fold) => fold.cases));
});

test('inner folds test every development case once and never an outer test case', async () => {
  const { folds } = await planFolds(cases, { scheme: 'nested', folds: 4, innerFolds: 3, seed: 1 });
  for (const fold of folds) {
    expect(fold.inner).toHaveLength(3);
    expect(fold.inner.flatMap((inner) => inner.test).sort()).toEqual(
      [...fold.train, ...fold.validation].sort(),
    );
  }
});

test('leaveOneSiteOut tests each site once', async () => {
  const { folds } = await planFolds(cases, { scheme: 'leaveOneSiteOut' });
  expect(folds.map(({ site }) => site)).toEqual(sites);
  for (const { site, test: tested, train } of folds) {
    expect(new Set(tested.map((id) => byId.get(id)!.site))).toEqual(new Set([site]));
    expect(train.some((id) => byId.get(id)!.site === site)).toBe(false);
  }
});

test('stratifyBySite gives every fold each site and label in proportion', async () => {
  const { folds } = await planFolds(cases, { scheme: 'kFold', folds: 4, seed: 5, stratifyBySite: true });
  for (const fold of folds) {
    for (const site of sites) {
      for (const positive of [true, false]) {
        const count = [...patientsOf(fold.test)].filter(
          (patient) =>
            isPositive(patient) === positive &&
            cases.find((current) => current.patientId === patient)!.site === site,
        ).length;
        // 8 positives and 16 negatives a site, over 4 folds
        expect(count).toBe(positive ? 2 : 4);
      }
    }
    // 15% of 18 patients of a site are 2.7
    for (const site of sites) {
      const validation = [...patientsOf(fold.validation)].filter(
        (patient) => cases.find((current) => current.patientId === patient)!.site === site,
      );
      expect([2, 3, 4]).toContain(validation.length);
    }
  }
});

describe('checkFolds refuses, however well sealed', () => {
  const plan = () => planFolds(cases, { scheme: 'kFold', folds: 4, seed: 1 });
  const refuse = async (
    change: (folds: Awaited<ReturnType<typeof plan>>['folds']) => void,
    wrong: string,
    options: FoldPlanOptions = { scheme: 'kFold', folds: 4, seed: 1 },
  ) => {
    const { folds, ...rest } = await planFolds(cases, options);
    const changed = structuredClone(folds);
    change(changed);
    const error = await checkFolds(await sealFolds({ ...rest, folds: changed }, cases), cases).catch(
      (caught: unknown) => caught as Error,
    );
    expect(error).toEqual(code(wrong));
    expect((error as Error).message).not.toMatch(/\bp\d+\b/);
  };

  test('a patient in two splits of a fold', () =>
    refuse(([fold]) => {
      const torn = fold!.test.find((id) => fold!.test.some((o) => o !== id && sameOne(o, id)))!;
      fold!.test = fold!.test.filter((id) => id !== torn);
      fold!.train.push(torn);
    }, 'LEAK'));
  test('a case in two splits of a fold', () => refuse(([fold]) => fold!.train.push(fold!.test[0]!), 'LEAK'));
  test('a tested case in an inner fold', () =>
    refuse(([fold]) => fold!.inner[0]!.train.push(fold!.test[0]!), 'LEAK', {
      scheme: 'nested',
      folds: 4,
      innerFolds: 2,
    }));
  test('a case that no split of a fold has', () => refuse(([fold]) => fold!.train.pop(), 'FOLDS_INCOMPLETE'));
  test('a case twice in a split', () =>
    refuse(([fold]) => fold!.train.push(fold!.train[0]!), 'FOLDS_INCOMPLETE'));
  test('a patient who is tested by two folds', () =>
    refuse(([first, second]) => {
      // still sound within the fold: a whole patient goes from train to test
      const [moved] = first!.train;
      const ids = [...first!.train, ...first!.validation].filter((id) => sameOne(id, moved!));
      first!.train = first!.train.filter((id) => !ids.includes(id));
      first!.test.push(...ids);
      expect(second).toBeDefined();
    }, 'FOLDS_INCOMPLETE'));
  test('a fold that is left out', () => refuse((folds) => folds.pop(), 'FOLDS_INCOMPLETE'));
  test('an unknown case', () => refuse(([fold]) => fold!.train.push('case-9999'), 'UNKNOWN_CASE'));
  test('what was edited after it was sealed, other rows, and no plan at all', async () => {
    const sealed = await plan();
    await expect(checkFolds({ ...sealed, seed: 2 }, cases)).rejects.toThrow(code('SPLITS_HASH'));
    const relabelled = cases.map((current) => ({ ...current, label: 1 as const }));
    await expect(checkFolds(sealed, relabelled)).rejects.toThrow(code('COHORT_CHANGED'));
    await expect(checkFolds({ folds: [] }, cases)).rejects.toThrow(code('SPLITS_FORMAT'));
  });
});

const sameOne = (a: string, b: string) => byId.get(a)!.patientId === byId.get(b)!.patientId;

test('planFolds refuses what cannot be planned', async () => {
  const lacking: CohortCase[] = cases.map((current, i) => (i === 7 ? { ...current, site: null } : current));
  await expect(planFolds(lacking, { scheme: 'leaveOneSiteOut' })).rejects.toThrow(
    expect.objectContaining({ code: 'MISSING_SITE', line: 9 }),
  );
  const moved: CohortCase[] = cases.map((current, i) => (i === 2 ? { ...current, site: 'Oslo' } : current));
  await expect(planFolds(moved, { scheme: 'leaveOneSiteOut' })).rejects.toThrow(code('LEAK'));
  const one = cases.map((current) => ({ ...current, site: 'Bern' }));
  await expect(planFolds(one, { scheme: 'leaveOneSiteOut' })).rejects.toThrow(code('MISSING_SITE'));
  await expect(planFolds(cases, { scheme: 'kFold', folds: 1 })).rejects.toThrow(code('OPTIONS'));
  await expect(planFolds(cases, { scheme: 'kFold', validation: 0 })).rejects.toThrow(code('OPTIONS'));
  await expect(planFolds(cases, { scheme: 'loo' as 'kFold' })).rejects.toThrow(code('OPTIONS'));
  await expect(planFolds(cases.slice(0, 12), { scheme: 'kFold' })).rejects.toThrow(code('TOO_FEW_PATIENTS'));
});
