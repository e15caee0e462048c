import type { CohortCase } from '@onco-response/cohort';
import { RandomStream } from '@onco-response/engine';
import type { CasesBySplit } from './study-folds.js';

/**
 * `control: permutedLabels`: the labels of the training cases are dealt out again among the training patients, and those
 * of the validation cases, which choose the epoch and the calibration, among the validation patients. Test cases keep
 * theirs. Such labels teach nothing: an AUC whose interval leaves 0.5 out shows a leak.
 */
export function permuteLabels({ train, validation, test }: CasesBySplit, seed: number): CasesBySplit {
  return {
    train: dealt(train, new RandomStream(seed, 'permuted labels of training cases')),
    validation: dealt(validation, new RandomStream(seed, 'permuted labels of validation cases')),
    test,
  };
}

/** Whole patients' labels, in a drawn order, go to the cases as they stand, patient after patient. */
function dealt(cases: readonly CohortCase[], random: RandomStream): CohortCase[] {
  const byPatient = new Map<string, CohortCase[]>();
  for (const each of cases) byPatient.set(each.patientId, [...(byPatient.get(each.patientId) ?? []), each]);
  const patients = [...byPatient.values()];
  const labels = random.shuffle(patients).flatMap((own) => own.map(({ label }) => label));
  const labelOf = new Map(patients.flat().map((each, i) => [each, labels[i] as 0 | 1]));
  return cases.map((each) => ({ ...each, label: labelOf.get(each) as 0 | 1 }));
}
