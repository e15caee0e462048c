import type { CohortCase, SplitName } from './index.js';

/** `patients` patients, every third positive, patient n with 1 + n % 3 cases of which only the last may be positive. */
export function cohort(
  patients: number,
  split: (patient: number) => SplitName | null = () => null,
): CohortCase[] {
  const rows = Array.from({ length: patients }, (_, patient) =>
    Array.from({ length: 1 + (patient % 3) }, (_, scan) => ({
      patient,
      label: patient % 3 === 1 && scan === 1 ? 1 : 0,
    })),
  ).flat();
  return rows.map(({ patient, label }, index) => ({
    caseId: `case-${String(index + 1).padStart(4, '0')}`,
    line: index + 2,
    patientId: `p${patient}`,
    image: `/data/${index}.nii.gz`,
    mask: null,
    label: label as 0 | 1,
    site: null,
    split: split(patient),
    timePoint: null,
    clinical: {},
  }));
}
