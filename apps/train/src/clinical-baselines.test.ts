import type { CohortCase } from '@onco-response/cohort';
import { expect, test } from 'vitest';
import { fitClinicalBaselines } from './clinical-baselines.js';
import { predictionsCsv, readPredictions } from './predictions-csv.js';

const cases = Array.from({ length: 60 }, (_, i): CohortCase => {
  const label = i % 2 === 0 ? 1 : 0;
  return {
    caseId: `case-${String(i + 1).padStart(4, '0')}`,
    line: i + 2,
    patientId: `p${i}`,
    image: `${i}.nii`,
    mask: null,
    label,
    site: null,
    split: null,
    timePoint: null,
    clinical: {
      age: i % 7 === 0 ? null : 50 + 6 * label + 5 * Math.sin(3 * i),
      stage: ['II', 'III', 'IV'][i % 3] as string,
      note: `free text ${i}`,
      empty: null,
    },
  };
});
const bySplit = { train: cases.slice(0, 36), validation: cases.slice(36, 48), test: cases.slice(48) };
const logVolume = ({ caseId, label }: CohortCase) => Math.sin(Number(caseId.slice(5))) + 0.4 * label;
const fit = (changes: Partial<Parameters<typeof fitClinicalBaselines>[0]> = {}) =>
  fitClinicalBaselines({ bySplit, external: [], named: [], logVolume, ...changes });

test('free text and empty columns are left out; the volume changes one of the two', () => {
  const baselines = fit()!;
  const said = baselines.predict(bySplit.test);
  expect(said.every((each) => each.clinicalOnly > 0 && each.clinicalOnly < 1)).toBe(true);
  expect(said.some((each) => Math.abs(each.clinicalOnly - each.volumeAndClinical) > 0.01)).toBe(true);
  const again = fit({ logVolume: () => 1 })!.predict(bySplit.test);
  again.forEach((each, i) => {
    expect(each.clinicalOnly).toBe(said[i]!.clinicalOnly);
    expect(each.volumeAndClinical).toBeCloseTo(each.clinicalOnly, 9);
  });
});

test('test cases teach nothing, validation cases the thresholds only', () => {
  const flipped = (all: CohortCase[]) => all.map((each) => ({ ...each, label: (1 - each.label) as 0 | 1 }));
  const baselines = fit()!;
  const other = fit({ bySplit: { ...bySplit, test: flipped(bySplit.test) } })!;
  expect(other.predict(bySplit.test)).toEqual(baselines.predict(bySplit.test));
  expect(other.thresholds).toEqual(baselines.thresholds);
  const turned = fit({ bySplit: { ...bySplit, validation: flipped(bySplit.validation) } })!;
  expect(turned.predict(bySplit.test)).toEqual(baselines.predict(bySplit.test));
  expect(turned.thresholds).not.toEqual(baselines.thresholds);
});

test('named columns only; none without clinical columns or where another cohort lacks them', () => {
  const [first] = bySplit.test;
  const older = { ...first!, clinical: { ...first!.clinical, age: 90 } };
  const staged = fit({ named: ['stage'] })!;
  expect(staged.predict([older])).toEqual(staged.predict([first!]));
  const without = (all: CohortCase[]) => all.map((each) => ({ ...each, clinical: {} }));
  expect(fit({ bySplit: { ...bySplit, train: without(bySplit.train) } })).toBeUndefined();
  expect(fit({ external: without(bySplit.test) })).toBeUndefined();
});

test('predictions.csv keeps them, and has no such columns without', () => {
  const row = {
    caseId: 'case-0001',
    split: 'test' as const,
    label: 1 as const,
    logit: 0.1,
    probability: 0.52,
    lesionVolumeMm3: 3,
    volumeOnlyProbability: 0.4,
  };
  const baselines = { clinicalOnly: 0.1 + 0.2, volumeAndClinical: 0.7 };
  expect(readPredictions(predictionsCsv([{ ...row, baselines }]))).toEqual([{ ...row, baselines }]);
  expect(predictionsCsv([row])).not.toContain('clinical');
  expect(readPredictions(predictionsCsv([row]))).toEqual([row]);
});
