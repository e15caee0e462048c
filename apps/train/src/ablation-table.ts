import type { StudyRow } from './collect.js';
import { csvTable, markdownTable, showInterval, showP } from './table.js';

const p = (comparison: { delong: { p: number } | null } | null) =>
  comparison === null ? '' : comparison.delong === null ? 'not defined' : showP(comparison.delong.p);

/** All rows of a study on the same out-of-fold cases: AUC with CI, DeLong's paired test against volume and the first. */
export function ablationTable(rows: readonly StudyRow[]): string {
  const [first] = rows as [StudyRow];
  const { volumeOnly } = first.evaluation;
  const { cases, positives, patients } = volumeOnly;
  const external = first.evaluation.external !== undefined;
  return [
    `${cases} cases of ${patients} patients, ${positives} positive, each predicted by models that never saw the patient`,
    '',
    markdownTable([
      [
        '',
        'AUC [95% CI]'.replace('95', String(100 * volumeOnly.bootstrap.level)),
        'PR-AUC',
        'AUC minus the first',
        'p against the first',
        'p against volume',
        ...(external ? ['external AUC'] : []),
      ],
      [
        'lesion volume only',
        showInterval(volumeOnly.rocAuc),
        volumeOnly.prAuc.estimate.toFixed(3),
        '',
        '',
        '',
        ...(first.evaluation.external ? [showInterval(first.evaluation.external.volumeOnly.rocAuc)] : []),
      ],
      ...rows.map(
        ({ name, evaluation: { model, againstFirst, modelAgainstVolumeOnly, external: outside } }) => [
          name.replaceAll('|', '/'),
          showInterval(model.rocAuc),
          model.prAuc.estimate.toFixed(3),
          againstFirst ? showInterval(againstFirst.difference) : '',
          p(againstFirst),
          p(modelAgainstVolumeOnly),
          ...(outside ? [showInterval(outside.model.rocAuc)] : []),
        ],
      ),
    ]),
  ].join('\n');
}

/** The same numbers unrounded. */
export function ablationCsv(rows: readonly StudyRow[]): string {
  const [first] = rows as [StudyRow];
  const { volumeOnly } = first.evaluation;
  const head = [
    'variant',
    'cases',
    'positives',
    'patients',
    'auc',
    'auc_lower',
    'auc_upper',
    'pr_auc',
    'auc_minus_first',
    'auc_minus_first_lower',
    'auc_minus_first_upper',
    'delong_p_first',
    'delong_p_volume',
  ];
  const line = (
    name: string,
    { cases, positives, patients, rocAuc, prAuc }: typeof volumeOnly,
    first?: StudyRow['evaluation']['againstFirst'],
    volume?: StudyRow['evaluation']['modelAgainstVolumeOnly'],
  ) => [
    name,
    cases,
    positives,
    patients ?? '',
    rocAuc.estimate,
    rocAuc.lower,
    rocAuc.upper,
    prAuc.estimate,
    first?.difference.estimate ?? '',
    first?.difference.lower ?? '',
    first?.difference.upper ?? '',
    first?.delong?.p ?? '',
    volume?.delong?.p ?? '',
  ];
  return csvTable([
    head,
    line('lesion volume only', volumeOnly),
    ...rows.map(({ name, evaluation }) =>
      line(name, evaluation.model, evaluation.againstFirst, evaluation.modelAgainstVolumeOnly),
    ),
  ]);
}
