import { expect, test } from 'vitest';
import { tabularFolds } from './tabular-folds.js';
import { predictFold } from './tabular-predict.js';
import { parseTabularStudy } from './tabular-study.js';
import { parsePatientTable } from './tabular-table.js';

const yaml = `name: a
positiveClass: response
target: t
table: table.csv
columns: { patient: who, label: response }
derived: { log_volume: { logOfProduct: [voxels, spacing] } }
folds: { folds: 3, repetitions: 2, innerFolds: 2 }
models: [{ name: all, features: [age, stage, log_volume] }]
`;
const study = (changes = '') => parseTabularStudy(yaml + changes, 'study.yaml');
const header = 'who,age,stage,voxels,spacing,response,part';
const rows = Array.from({ length: 40 }, (_, i) =>
  [
    `p${i >> 1}`,
    50 + (i % 9),
    i % 3 ? 'II' : 'III',
    10 + i,
    0.5,
    (i >> 1) % 2,
    i < 24 ? 0 : i < 32 ? '1.0' : 2,
  ].join(','),
);
const table = (changed: string[] = rows, of = study()) =>
  parsePatientTable([header, ...changed].join('\n'), 'table.csv', of);

test('a wrong key is refused with its line, a missing one by name', () => {
  expect(() => study('evaluations: {}\n')).toThrow(/study\.yaml:9: unknown key "evaluations"/);
  expect(() => study('regression: { c: 0 }\n')).toThrow(/study\.yaml:9: regression\.c/);
  expect(() => parseTabularStudy('name: a\n', 'study.yaml')).toThrow(/models/);
});

test('columns that are not there, labels that are none and volumes without a logarithm are refused', () => {
  expect(() => table(rows, study('categorical: [grade]\n'))).toThrow(/grade.*there are: who, age/);
  expect(() => table([...rows, 'p40,50,II,3,0.5,maybe,0'])).toThrow(/row 41: response is "maybe"/);
  expect(() => table([...rows, 'p40,50,II,0,0.5,1,0'])).toThrow(/derived\.log_volume/);
  expect(() => table([...rows, 'p40,50,II'])).toThrow(/row 41/);
});

test('rows without an outcome are left out and counted; gaps stay gaps; words are categories', () => {
  const { cases, warnings, categorical } = table([...rows, 'p40,,II,3,,1,0', 'p41,50,II,3,0.5,,0']);
  expect(cases.length).toBe(41);
  expect(cases.at(-1)!.row).toMatchObject({ age: null, log_volume: null });
  expect(warnings.join(' ')).toMatch(
    /1 rows have no response.*age is missing in 1.*log_volume is missing in 1/,
  );
  expect([...categorical]).toEqual(['stage']);
  expect(cases[0]!.row.log_volume).toBeCloseTo(Math.log(5), 12);
});

test('no patient is on two sides of a fold or of an inner fold, and each case is tested once a repetition', async () => {
  const { cases } = table();
  const { folds } = await tabularFolds(cases, study());
  expect(folds.length).toBe(6);
  const patients = (all: readonly { patientId: string }[]) => new Set(all.map(({ patientId }) => patientId));
  for (const { train, test: tested, inner } of folds) {
    expect([...patients(tested)].some((patient) => patients(train).has(patient))).toBe(false);
    expect(train.length + tested.length).toBe(40);
    expect(inner.flatMap(({ held }) => held.map(({ caseId }) => caseId)).sort()).toEqual(
      train.map(({ caseId }) => caseId).sort(),
    );
    for (const part of inner) {
      expect([...patients(part.held)].some((patient) => patients(part.train).has(patient))).toBe(false);
      expect(part.train.every((each) => train.includes(each))).toBe(true);
    }
  }
});

test('labels of test cases change no prediction and no threshold', async () => {
  const { cases, categorical } = table();
  const of = study();
  const [fold] = (await tabularFolds(cases, of)).folds;
  const turned = {
    ...fold!,
    test: fold!.test.map((each) => ({ ...each, label: (1 - each.label) as 0 | 1 })),
  };
  const numbers = (given: typeof turned) =>
    predictFold(given, of.models[0]!, of, categorical).map(({ probability, threshold }) => [
      probability,
      threshold,
    ]);
  expect(numbers(turned)).toEqual(numbers(fold!));
});

test('a split of the table is kept: calibrated on its validation cases, tested on its test cases', async () => {
  const of = study('split: { column: part, train: 0, validation: 1, test: 2 }\n');
  const { cases } = table([...rows, 'p40,50,II,3,0.5,1,'], of);
  expect(cases.length).toBe(40);
  const { folds } = await tabularFolds(cases, of);
  expect(folds.map(({ train, test: tested }) => [train.length, tested.length])).toEqual([[24, 8]]);
  expect(folds[0]!.inner.map(({ held }) => held.length)).toEqual([8]);
  const leaking = table([...rows.slice(0, -1), 'p0,50,II,3,0.5,1,2'], of);
  await expect(tabularFolds(leaking.cases, of)).rejects.toThrow(/another part/);
});
