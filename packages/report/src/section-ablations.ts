import { axes, line, marks, renderChart, seriesStyle, whiskers } from './chart.js';
import { dataTable } from './data-table.js';
import { forestTable } from './forest-table.js';
import { decimal, interval, pValue } from './format-number.js';
import { html } from './markup.js';
import type { AblationRow, LearningCurvePoint } from './report-input.js';
import type { Estimate } from './report-robustness.js';
import { figure, type Section } from './section.js';

export function ablationsSection(rows: readonly AblationRow[]): Section {
  const limits = ({ estimate, lower, upper }: Estimate, digits = 2) =>
    `${decimal(estimate, digits)}${lower !== undefined && upper !== undefined ? ` (${interval(lower, upper, digits)})` : ''}`;
  const columns = [
    ...(rows.some(({ prAuc }) => prAuc) ? ['PR\u2011AUC'] : []),
    ...(rows.some(({ difference }) => difference) ? ['Minus the whole method'] : []),
    ...(rows.some(({ p }) => p !== undefined) ? ['DeLong\u00a0p'] : []),
  ];
  return {
    id: 'ablations',
    title: 'Ablations',
    body: html`<p>The method with one part changed or taken away, everything else as it was.</p>
${forestTable({
  caption: 'ROC-AUC of each variant',
  nameColumn: 'Variant',
  valueColumn: 'ROC\u2011AUC',
  columns,
  reference: rows[0]!.rocAuc.estimate,
  atLeast: [0.5, 0.9],
  limits: [0, 1],
  rows: rows.map((row, i) => ({
    name: row.name,
    ...(row.description === undefined && row.cases === undefined
      ? {}
      : {
          below: [row.description, row.cases === undefined ? undefined : `${row.cases} cases`]
            .filter(Boolean)
            .join('; '),
        }),
    value: row.rocAuc,
    lead: i === 0,
    cells: [
      ...(columns.includes('PR\u2011AUC') ? [row.prAuc ? limits(row.prAuc) : ''] : []),
      ...(columns.includes('Minus the whole method') ? [row.difference ? limits(row.difference) : ''] : []),
      ...(row.p === undefined ? [] : [pValue(row.p).replace(/^p\s=?\s?/, '')]),
    ],
  })),
  csv: 'ablations',
  csvColumns: [
    'variant',
    'description',
    'cases',
    'rocAuc',
    'rocAucLower',
    'rocAucUpper',
    'prAuc',
    'difference',
    'differenceLower',
    'differenceUpper',
    'delongP',
  ],
  csvRows: rows.map((row): (string | number)[] => [
    row.name,
    row.description ?? '',
    row.cases ?? '',
    ...spread(row.rocAuc),
    row.prAuc?.estimate ?? '',
    ...spread(row.difference),
    row.p ?? '',
  ]),
})}<p class="quiet">Dashed: ${rows[0]!.name}, the first row.</p>`,
  };
}

export const spread = (value: Estimate | undefined): (string | number)[] => [
  value?.estimate ?? '',
  value?.lower ?? '',
  value?.upper ?? '',
];

export function learningCurveSection(points: readonly LearningCurvePoint[]): Section {
  const sorted = [...points].sort((a, b) => a.trainingCases - b.trainingCases);
  const most = sorted.at(-1)!;
  const { colour } = seriesStyle(0);
  const lowest = Math.min(0.5, ...sorted.map(({ rocAuc }) => rocAuc.lower ?? rocAuc.estimate));
  const power = 10 ** Math.floor(Math.log10(most.trainingCases / 3));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => most.trainingCases / size <= 6) ??
    10 * power;
  const last = sorted.at(-2);
  const gain = last === undefined ? undefined : most.rocAuc.estimate - last.rocAuc.estimate;
  const withLimits = sorted.filter(({ rocAuc }) => rocAuc.lower !== undefined && rocAuc.upper !== undefined);
  return {
    id: 'learning-curve',
    title: 'Learning curve',
    body: html`<p>ROC-AUC when the model is trained on a part of the training cases.${
      gain !== undefined &&
      ` The last step, from ${last!.trainingCases} to ${most.trainingCases} cases, changed it by ${gain >= 0 ? '+' : ''}${decimal(gain, 3)}.`
    }</p>
${figure({
  plot: renderChart({
    name: 'learning-curve',
    width: 460,
    height: 340,
    description: `ROC-AUC against training cases: ${sorted.map(({ trainingCases, rocAuc }) => `${trainingCases} cases ${decimal(rocAuc.estimate, 2)}`).join(', ')}.`,
    option: {
      ...axes(
        { name: 'Training cases', min: 0, max: Math.ceil(most.trainingCases / step) * step, interval: step },
        {
          name: 'ROC-AUC',
          min: Math.floor(lowest * 10 + 1e-9) / 10,
          max: 1,
          interval: 0.1,
          format: (value) => value.toFixed(1),
        },
      ),
      series: [
        whiskers(
          withLimits.map(({ trainingCases, rocAuc }) => ({
            from: [trainingCases, rocAuc.lower!],
            to: [trainingCases, rocAuc.upper!],
            colour,
          })),
        ),
        line(
          sorted.map(({ trainingCases, rocAuc }) => [trainingCases, rocAuc.estimate]),
          { colour, width: 1.5 },
        ),
        marks(
          sorted.map(({ trainingCases, rocAuc }) => [trainingCases, rocAuc.estimate]),
          colour,
        ),
      ],
    },
  }),
  caption: 'ROC-AUC by number of training cases, with its interval where it is known.',
  numbers: dataTable({
    caption: 'Learning curve',
    csv: 'learning-curve',
    columns: ['Training cases', 'ROC\u2011AUC', 'Trainings'],
    rows: sorted.map(({ trainingCases, rocAuc, repetitions }) => [
      trainingCases,
      {
        shown: decimal(rocAuc.estimate, 3),
        value: rocAuc.estimate,
        ...(rocAuc.lower === undefined || rocAuc.upper === undefined
          ? {}
          : { below: interval(rocAuc.lower, rocAuc.upper, 3) }),
      },
      repetitions ?? '',
    ]),
    csvRows: {
      columns: ['trainingCases', 'rocAuc', 'rocAucLower', 'rocAucUpper', 'repetitions'],
      rows: sorted.map(({ trainingCases, rocAuc, repetitions }) => [
        trainingCases,
        ...spread(rocAuc),
        repetitions ?? '',
      ]),
    },
  }),
})}`,
  };
}
