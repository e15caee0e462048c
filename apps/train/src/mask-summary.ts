import type { CohortCase } from '@onco-response/cohort';
import type { BundleMetadata } from '@onco-response/response-model';
import type { MaskedCases } from './derived-masks.js';

/** Where the masks of a study's own cases came from, for run.json and the bundle. */
export type MaskSummary = NonNullable<BundleMetadata['masks']>;

export function maskSummary({ cases, leftOut, masks }: Omit<MaskedCases, 'external'>): MaskSummary {
  const ids = new Set(masks?.cases.map(({ caseId }) => caseId));
  const derived = cases.filter(({ caseId }) => ids.has(caseId)).length;
  return {
    given: cases.length - derived,
    derived,
    noLesion: leftOut.length,
    segmentation: masks
      ? {
          model: masks.model,
          sha256: masks.modelSha256,
          labels: [...masks.labels],
          cleaning: masks.cleaning,
        }
      : null,
  };
}

/** What the report says of derived masks as a whole. */
export function maskWarnings({ cases, leftOut, masks }: Omit<MaskedCases, 'external'>): string[] {
  if (!masks) return [];
  const ids = new Set(masks.cases.map(({ caseId }) => caseId));
  const derived = cases.filter(({ caseId }) => ids.has(caseId));
  const positives = (all: readonly CohortCase[]) => all.filter(({ label }) => label === 1).length;
  const share = (label: 0 | 1) => {
    const of = (all: readonly CohortCase[]) => all.filter((each) => each.label === label).length;
    return `${of(derived)} of ${of(cases)} ${label === 1 ? 'positive' : 'negative'} cases`;
  };
  return [
    `The lesion masks of ${derived.length} of ${cases.length} cases were derived by the segmentation model ${masks.model}; masks/*.png shows them. The model must not have been trained on patients that are tested here.`,
    ...(derived.length < cases.length
      ? [
          `Derived masks: ${share(1)} and ${share(0)}; the others are given. Where that goes with the label, a model can learn it.`,
        ]
      : []),
    ...(leftOut.length > 0
      ? [
          `NO_LESION: ${leftOut.length} cases (${positives(leftOut)} positive) in which no lesion was found are left out: ${leftOut.map(({ caseId }) => caseId).join(', ')}.`,
        ]
      : []),
  ];
}

/** What to look at in single cases. */
export function maskFindings(
  masks: MaskedCases['masks'],
  cases: readonly CohortCase[],
): { caseId: string; text: string }[] {
  const ids = new Set(cases.map(({ caseId }) => caseId));
  return (masks?.cases ?? [])
    .filter(({ caseId }) => ids.has(caseId))
    .flatMap(({ caseId, flags, warnings }) => [
      ...warnings.map((text) => ({ caseId, text: `derived mask: ${text}` })),
      ...flags.map(({ code, message }) => ({ caseId, text: `derived mask, ${code}: ${message}` })),
    ]);
}

/** The report's row of cases that were left out, for its flow of cases. */
export function leftOutPart(leftOut: readonly CohortCase[], cases: readonly CohortCase[]) {
  if (leftOut.length === 0) return [];
  const kept = new Set(cases.map(({ patientId }) => patientId));
  const patients = new Set(leftOut.map(({ patientId }) => patientId).filter((id) => !kept.has(id)));
  return [
    {
      split: 'left out: NO_LESION',
      cases: leftOut.length,
      patients: patients.size,
      positives: leftOut.filter(({ label }) => label === 1).length,
    },
  ];
}
