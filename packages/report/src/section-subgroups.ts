import type { SubgroupAnalysis, SubgroupResult } from './analyse-subgroups.js';
import { dataTable } from './data-table.js';
import type { CountedProportion } from './evaluate-model.js';
import { forestTable } from './forest-table.js';
import { decimal, interval, levelPercent, percent, pValue, withInterval } from './format-number.js';
import { html, type Markup } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

export function subgroupsSection(report: MeasuredReport): Section {
  const { main, subgroupResults, bootstrap } = report;
  const groups = subgroupResults.flatMap((column) => column.groups);
  const { minimum } = subgroupResults[0]!;
  return {
    id: 'subgroups',
    title: 'Subgroups and fairness',
    body: html`<p>The results of ${main.name} within groups of the same test cases. A group with fewer than ${minimum.cases} cases, or fewer than ${minimum.perClass} of a class, is counted and not measured. ${groups.length} groups are many looks at one set of cases: an interval that includes the value of the whole cohort (dashed, ${decimal(main.evaluation.rocAuc.estimate, 2)}) is no finding.</p>
${subgroupResults.map((analysis, n) => column(analysis, n, report))}
<p class="quiet">ROC-AUC with ${levelPercent(bootstrap.level)}% bootstrap intervals; proportions at the threshold with Wilson intervals. Differences between groups by DeLong's unpaired test${main.clusters === undefined ? '' : ', which takes cases as independent'}.</p>`,
  };
}

function column(analysis: SubgroupAnalysis, n: number, { main, bootstrap }: MeasuredReport): Markup {
  const level = levelPercent(bootstrap.level);
  const { column: name, groups } = analysis;
  const measured = groups.filter(({ tooFew }) => tooFew === null);
  return html`<h3>${name}</h3>
${forestTable({
  caption: `ROC-AUC by ${name}, with ${level}% intervals`,
  nameColumn: name,
  valueColumn: 'ROC\u2011AUC',
  columns: measured.length > 1 ? ['Minus the rest', 'Holm\u00a0p'] : [],
  reference: main.evaluation.rocAuc.estimate,
  atLeast: [0.5, 0.9],
  limits: [0, 1],
  rows: groups.map((group) => ({
    name: group.group,
    below: counts(group),
    ...(group.rocAuc === null ? { note: `too few: ${group.tooFew}` } : { value: group.rocAuc, lead: false }),
    cells: group.againstRest
      ? [
          `${group.againstRest.difference > 0 ? '+' : ''}${decimal(group.againstRest.difference, 2)}`,
          pValue(group.againstRest.adjustedP).replace(/^p\s=?\s?/, ''),
        ]
      : [],
  })),
  csv: `subgroup-${n + 1}-${fileName(name)}`,
  csvColumns: [...CSV_COLUMNS],
  csvRows: groups.map(csvRow),
})}
${measured.length > 0 && proportions(analysis, measured, level)}
${fairness(analysis, level)}`;
}

const counts = ({ cases, patients, positives }: SubgroupResult) =>
  `${cases} cases${patients !== null && patients !== cases ? ` of ${patients} patients` : ''}, ${percent(positives / cases)} positive`;

function proportions({ column: name }: SubgroupAnalysis, measured: SubgroupResult[], level: string): Markup {
  const cell = (value: CountedProportion | null) =>
    value === null
      ? 'no cases'
      : {
          shown: decimal(value.estimate, 2),
          below: interval(value.lower, value.upper, 2),
          value: value.estimate,
        };
  return dataTable({
    caption: `At the threshold, by ${name}, with ${level}% intervals. Calibration in the large is in log-odds: above 0 the probabilities are too low`,
    columns: [name, 'Sensitivity', 'Specificity', 'PPV', 'NPV', 'Calibration in the large'],
    rows: measured.map((group) => [
      group.group,
      cell(group.sensitivity),
      cell(group.specificity),
      cell(group.positivePredictiveValue),
      cell(group.negativePredictiveValue),
      group.calibrationInTheLarge === null
        ? 'not defined'
        : { shown: decimal(group.calibrationInTheLarge, 2), value: group.calibrationInTheLarge },
    ]),
  });
}

function fairness({ equalisedOdds, notDefined }: SubgroupAnalysis, level: string): Markup {
  if (equalisedOdds === null)
    return html`<p>Equalised odds: ${notDefined.equalisedOdds ?? 'not defined.'}</p>`;
  const { gap, sensitivityGap, falsePositiveGap, between, byChance } = equalisedOdds;
  const where = sensitivityGap >= falsePositiveGap ? 'sensitivity' : 'false positive rate';
  return html`<p>Equalised-odds gap <strong class="whole">${withInterval(gap, 2)}</strong> (${level}% bootstrap interval${gap.discarded > 0 && `, ${gap.discarded} resamples without a value`}): the largest difference in ${where}, between ${between[0]} and ${between[1]}. Sensitivities differ by up to ${decimal(sensitivityGap, 2)}, false positive rates by up to ${decimal(falsePositiveGap, 2)}. ${
    byChance
      ? `With groups exchanged at random the gap would be ${decimal(byChance.mean, 2)} on average (${pValue(byChance.p)}).`
      : equalisedOdds.notDefined.byChance
  }</p>`;
}

/** Letters and digits of a column's name, for a file's name. */
const fileName = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40) || 'column';

const PROPORTIONS = [
  'sensitivity',
  'specificity',
  'positivePredictiveValue',
  'negativePredictiveValue',
] as const;
const CSV_COLUMNS = [
  'group',
  'cases',
  'patients',
  'positives',
  'tooFew',
  'rocAuc',
  'rocAucLower',
  'rocAucUpper',
  ...PROPORTIONS.flatMap((name) => [name, `${name}Lower`, `${name}Upper`]),
  'brierScore',
  'calibrationInTheLarge',
  'aucMinusRest',
  'aucMinusRestLower',
  'aucMinusRestUpper',
  'aucMinusRestP',
  'aucMinusRestHolmP',
];

function csvRow(group: SubgroupResult): (string | number)[] {
  const limits = (value: { estimate: number; lower: number; upper: number } | null): (string | number)[] =>
    value === null ? ['', '', ''] : [value.estimate, value.lower, value.upper];
  const { againstRest } = group;
  return [
    group.group,
    group.cases,
    group.patients ?? '',
    group.positives,
    group.tooFew ?? '',
    ...limits(group.rocAuc),
    ...PROPORTIONS.flatMap((name) => limits(group[name])),
    group.brierScore ?? '',
    group.calibrationInTheLarge ?? '',
    ...(againstRest
      ? [againstRest.difference, againstRest.lower, againstRest.upper, againstRest.p, againstRest.adjustedP]
      : ['', '', '', '', '']),
  ];
}
