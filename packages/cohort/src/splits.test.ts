import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type CohortCase,
  checkSplits,
  kFold,
  type SplitName,
  type Splits,
  splitNames,
  splitPatients,
} from './index.js';
import { sha256 } from './sha256.js';
import { sealSplits } from './splits.js';
import { cohort } from './test-cohort.js';

/** The patients of each split, after checking that no patient is in two and that every case is in one. */
function patientsOf(splits: Splits, cases: CohortCase[]): Record<SplitName, Set<string>> {
  const byId = new Map(cases.map((current) => [current.caseId, current.patientId]));
  const sets = Object.fromEntries(
    splitNames.map((name) => [name, new Set(splits.cases[name].map((caseId) => byId.get(caseId)!))]),
  ) as Record<SplitName, Set<string>>;
  const all = splitNames.flatMap((name) => [...sets[name]]);
  expect(new Set(all).size).toBe(all.length);
  expect(splitNames.flatMap((name) => splits.cases[name]).sort()).toEqual(cases.map(({ caseId }) => caseId));
  return sets;
}

/** Patient n is positive where n % 3 is 1. */
const positives = (patients: Set<string>) =>
  [...patients].filter((id) => Number(id.slice(1)) % 3 === 1).length;
const code = (wrong: string) => expect.objectContaining({ code: wrong });

describe('splitPatients', () => {
  test('keeps patients whole, shares and classes', async () => {
    const cases = cohort(90);
    const sets = patientsOf(await splitPatients(cases, { seed: 3 }), cases);
    expect(splitNames.map((name) => sets[name].size)).toEqual([63, 9, 18]);
    expect(splitNames.map((name) => positives(sets[name]))).toEqual([21, 3, 6]);
  });

  test('is decided by the seed', async () => {
    const cases = cohort(60);
    const first = await splitPatients(cases, { seed: 1 });
    expect(await splitPatients(cases, { seed: 1 })).toEqual(first);
    expect((await splitPatients(cases, { seed: 2 })).cases).not.toEqual(first.cases);
  });

  test('honours a full split column', async () => {
    const cases = cohort(
      30,
      (patient) => (['train', 'validation', 'test'] as const)[Math.floor(patient / 10)]!,
    );
    const sets = patientsOf(await splitPatients(cases), cases);
    expect([...sets.test].every((id) => Number(id.slice(1)) >= 20)).toBe(true);
    expect(splitNames.map((name) => sets[name].size)).toEqual([10, 10, 10]);
  });

  test('takes validation from train where the column has none, and leaves test alone', async () => {
    const cases = cohort(60, (patient) => (patient < 45 ? 'train' : 'test'));
    const sets = patientsOf(await splitPatients(cases, { train: 0.6, validation: 0.2, test: 0.2 }), cases);
    expect([...sets.test].map((id) => Number(id.slice(1)))).toEqual(
      Array.from({ length: 15 }, (_, i) => 45 + i),
    );
    expect([sets.train.size, sets.validation.size]).toEqual([34, 11]);
  });

  test('shares the rest where the column names only the test split', async () => {
    const cases = cohort(60, (patient) => (patient < 12 ? 'test' : null));
    const sets = patientsOf(await splitPatients(cases), cases);
    expect([...sets.test].every((id) => Number(id.slice(1)) < 12)).toBe(true);
    expect([sets.train.size, sets.validation.size]).toEqual([42, 6]);
  });

  test('a share of 0 leaves a split empty', async () => {
    const cases = cohort(30);
    const sets = patientsOf(await splitPatients(cases, { train: 0.7, validation: 0, test: 0.3 }), cases);
    expect(splitNames.map((name) => sets[name].size)).toEqual([21, 0, 9]);
  });

  test('refuses what cannot work', async () => {
    await expect(splitPatients(cohort(4))).rejects.toThrow(code('TOO_FEW_PATIENTS'));
    await expect(splitPatients(cohort(30), { train: -1 })).rejects.toThrow(code('OPTIONS'));
    const incomplete = cohort(
      40,
      (patient) => (['train', 'validation', 'test', null] as const)[patient % 4]!,
    );
    await expect(splitPatients(incomplete)).rejects.toThrow(code('SPLIT_INCOMPLETE'));
    const torn = cohort(30).map((current, index) => ({ ...current, split: splitNames[index % 2]! }));
    await expect(splitPatients(torn)).rejects.toThrow(code('PATIENT_IN_TWO_SPLITS'));
  });
});

describe('kFold', () => {
  test('every patient is tested once, in folds of equal size and class share', async () => {
    const cases = cohort(62);
    const folds = await kFold(cases, { folds: 5, seed: 4 });
    const sets = folds.map((fold) => patientsOf(fold, cases));
    expect(sets.flatMap(({ test: tested }) => [...tested]).sort()).toEqual(
      [...new Set(cases.map((c) => c.patientId))].sort(),
    );
    expect(sets.map(({ test: tested }) => tested.size).sort()).toEqual([12, 12, 12, 13, 13]);
    for (const { test: tested } of sets) expect([4, 5]).toContain(positives(tested));
    for (const { validation } of sets) expect([7, 8]).toContain(validation.size);
    expect(folds.map(({ fold }) => fold)).toEqual([0, 1, 2, 3, 4].map((index) => ({ index, count: 5 })));
  });

  test('refuses one fold', async () => {
    await expect(kFold(cohort(30), { folds: 1 })).rejects.toThrow(code('OPTIONS'));
  });
});

describe('checkSplits', () => {
  test('accepts what was written, also after the cohort moved to another folder', async () => {
    const cases = cohort(30);
    const splits = await splitPatients(cases);
    const read: unknown = JSON.parse(JSON.stringify(splits));
    expect(await checkSplits(read, cases)).toEqual(splits);
    const moved = cases.map((current) => ({
      ...current,
      image: current.image.replace('/data', 'C:\\elsewhere'),
    }));
    expect(await checkSplits(read, moved)).toEqual(splits);
    expect(JSON.stringify(splits)).not.toContain('"p1"');
  });

  test('refuses what was edited, what is for other rows, and what is no split file', async () => {
    const cases = cohort(30);
    const splits = await splitPatients(cases);
    const [moved, ...train] = splits.cases.train;
    const edited = { ...splits, cases: { ...splits.cases, train, test: [...splits.cases.test, moved!] } };
    await expect(checkSplits(edited, cases)).rejects.toThrow(code('SPLITS_HASH'));
    await expect(checkSplits({ ...splits, seed: 9 }, cases)).rejects.toThrow(code('SPLITS_HASH'));
    await expect(checkSplits({ cases: {} }, cases)).rejects.toThrow(code('SPLITS_FORMAT'));
    const relabelled = cases.map((current) => ({ ...current, label: 1 as const }));
    await expect(checkSplits(splits, relabelled)).rejects.toThrow(code('COHORT_CHANGED'));
  });

  test('refuses an unknown case and a patient in two splits, however well sealed', async () => {
    const cases = cohort(6);
    const seal = (parts: Splits['cases']) => sealSplits({ seed: 0, fold: null, cases: parts }, cases);
    const unknown = await seal({ train: ['case-0099'], validation: [], test: [] });
    await expect(checkSplits(unknown, cases)).rejects.toThrow(code('UNKNOWN_CASE'));
    const torn = await seal({ train: ['case-0002'], validation: [], test: ['case-0003'] }); // both of patient p1
    const error = await checkSplits(torn, cases).catch((caught: unknown) => caught as Error);
    expect(error).toEqual(code('PATIENT_IN_TWO_SPLITS'));
    expect((error as Error).message).not.toContain('p1');
  });
});

test('hashes equal those of canonical JSON in Python', async () => {
  const reference = JSON.parse(
    readFileSync(new URL('./__fixtures__/reference.json', import.meta.url), 'utf8'),
  ) as { values: unknown[]; hashes: string[] };
  expect(await Promise.all(reference.values.map(sha256))).toEqual(reference.hashes);
});
