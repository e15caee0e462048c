import type { StudyRow } from './collect.js';
import { csvTable, markdownTable, showInterval, showP } from './table.js';
import type { OrReason } from './within-folds.js';

const p = (comparison: { delong: { p: number } | null } | null) =>
  comparison === null ? '' : comparison.delong === null ? 'not defined' : showP(comparison.delong.p);

/** The estimate with its limits, "not defined", or nothing for a row that is not compared with itself. */
const shown = (value: OrReason<{ estimate: number; lower: number; upper: number }> | null) =>
  value === null ? '' : 'notDefined' in value ? 'not defined' : showInterval(value);

const aucOf = (value: StudyRow['evaluation']['withinFolds']['model']) =>
  'notDefined' in value ? value : { ...value, estimate: value.auc };
const differenceOf = (value: StudyRow['evaluation']['withinFolds']['againstFirst']) =>
  value === null || 'notDefined' in value ? value : { ...value, estimate: value.difference };
const pOf = (value: StudyRow['evaluation']['withinFolds']['againstFirst']) =>
  value === null ? '' : 'notDefined' in value ? 'not defined' : showP(value.p);

/**
 * All rows of a study on the same out-of-fold cases: AUC with CI, DeLong's paired test against volume and the first; where there
 * are several folds, the same of cases of one fold only.
 */
export function ablationTable(rows: readonly StudyRow[]): string {
  const [first] = rows as [StudyRow];
  const { volumeOnly } = first.evaluation;
  const { cases, positives, patients } = volumeOnly;
  const external = first.evaluation.external !== undefined;
  const folded = first.evaluation.folds.length > 1;
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
        ...(folded ? ['AUC within folds', 'minus the first', 'p', 'p against volume'] : []),
        ...(external ? ['external AUC'] : []),
      ],
      [
        'lesion volume only',
        showInterval(volumeOnly.rocAuc),
        volumeOnly.prAuc.estimate.toFixed(3),
        '',
        '',
        '',
        ...(folded ? [shown(aucOf(first.evaluation.withinFolds.volumeOnly)), '', '', ''] : []),
        ...(first.evaluation.external ? [showInterval(first.evaluation.external.volumeOnly.rocAuc)] : []),
      ],
      ...rows.map(
        ({
          name,
          evaluation: { model, againstFirst, modelAgainstVolumeOnly, withinFolds, external: outside },
        }) => [
          name.replaceAll('|', '/'),
          showInterval(model.rocAuc),
          model.prAuc.estimate.toFixed(3),
          againstFirst ? showInterval(againstFirst.difference) : '',
          p(againstFirst),
          p(modelAgainstVolumeOnly),
          ...(folded
            ? [
                shown(aucOf(withinFolds.model)),
                shown(differenceOf(withinFolds.againstFirst)),
                pOf(withinFolds.againstFirst),
                pOf(withinFolds.modelAgainstVolumeOnly),
              ]
            : []),
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
    'auc_within_folds',
    'auc_within_folds_lower',
    'auc_within_folds_upper',
    'within_folds_minus_first',
    'within_folds_minus_first_lower',
    'within_folds_minus_first_upper',
    'within_folds_p_first',
  ];
  const limits = (value: OrReason<{ estimate: number; lower: number; upper: number }> | null) =>
    value === null || 'notDefined' in value ? ['', '', ''] : [value.estimate, value.lower, value.upper];
  const line = (
    name: string,
    { cases, positives, patients, rocAuc, prAuc }: typeof volumeOnly,
    within: StudyRow['evaluation']['withinFolds']['model'],
    against?: StudyRow['evaluation'],
  ) => [
    name,
    cases,
    positives,
    patients ?? '',
    rocAuc.estimate,
    rocAuc.lower,
    rocAuc.upper,
    prAuc.estimate,
    against?.againstFirst?.difference.estimate ?? '',
    against?.againstFirst?.difference.lower ?? '',
    against?.againstFirst?.difference.upper ?? '',
    against?.againstFirst?.delong?.p ?? '',
    against?.modelAgainstVolumeOnly.delong?.p ?? '',
    ...limits(aucOf(within)),
    ...limits(differenceOf(against?.withinFolds.againstFirst ?? null)),
    against?.withinFolds.againstFirst && 'p' in against.withinFolds.againstFirst
      ? against.withinFolds.againstFirst.p
      : '',
  ];
  return csvTable([
    head,
    line('lesion volume only', volumeOnly, first.evaluation.withinFolds.volumeOnly),
    ...rows.map(({ name, evaluation }) =>
      line(name, evaluation.model, evaluation.withinFolds.model, evaluation),
    ),
  ]);
}
