import { type Cell, dataTable } from './data-table.js';
import { decimal, interval, levelPercent } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredModel, MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

export function modelsSection({ models, baseline, bootstrap }: MeasuredReport): Section {
  const level = levelPercent(bootstrap.level);
  const described = models.filter((model) => model.description);
  const clustered = models.some((model) => model.clusters);
  return {
    id: 'models',
    title: 'Models compared',
    body: html`${described.length > 0 && html`<dl class="described">${described.map((model) => html`<dt>${model.name}</dt><dd>${model.description}</dd>`)}</dl>`}
${dataTable({
  caption: `All models on the same test cases, each with its ${level}% bootstrap interval. F1 and balanced accuracy are at the threshold shown.`,
  csv: 'models',
  columns: [
    'Model',
    'ROC\u2011AUC',
    'PR\u2011AUC',
    'F1',
    'Balanced accuracy',
    'Threshold',
    ...(baseline ? [`AUC minus ${baseline.name}`, 'DeLong\u00a0p'] : []),
  ],
  rows: models.map((model): Cell[] => [
    model.name,
    withLimits(model.evaluation.rocAuc),
    withLimits(model.evaluation.prAuc),
    withLimits(model.evaluation.f1Score),
    withLimits(model.evaluation.balancedAccuracy),
    { shown: decimal(model.evaluation.threshold, 3), value: model.evaluation.threshold },
    ...(baseline ? againstBaseline(model) : []),
  ]),
  csvRows: { columns: [...CSV_COLUMNS], rows: models.map(csvRow) },
})}
${
  clustered &&
  baseline &&
  html`<p class="quiet">DeLong's test takes cases as independent, which several cases of one patient are not. The interval of the difference draws patients and is the one to rely on here.</p>`
}`,
  };
}

const withLimits = (value: { estimate: number; lower: number; upper: number }): Cell => ({
  shown: decimal(value.estimate, 2),
  below: interval(value.lower, value.upper, 2),
  value: value.estimate,
});

function againstBaseline({ comparison }: MeasuredModel): Cell[] {
  if (!comparison) return ['baseline', ''];
  const { difference, delong } = comparison;
  return [
    withLimits(difference),
    delong === null
      ? 'not defined'
      : { shown: delong.p < 0.001 ? '< 0.001' : decimal(delong.p, delong.p < 0.1 ? 3 : 2), value: delong.p },
  ];
}

const MEASURES = ['rocAuc', 'prAuc', 'f1Score', 'balancedAccuracy'] as const;
const CSV_COLUMNS = [
  'model',
  ...MEASURES.flatMap((name) => [name, `${name}Lower`, `${name}Upper`]),
  'threshold',
  'aucDifference',
  'aucDifferenceLower',
  'aucDifferenceUpper',
  'delongZ',
  'delongP',
];

function csvRow({ name, evaluation, comparison }: MeasuredModel): (string | number)[] {
  const { difference, delong } = comparison ?? {};
  return [
    name,
    ...MEASURES.flatMap((measure) => {
      const { estimate, lower, upper } = evaluation[measure];
      return [estimate, lower, upper];
    }),
    evaluation.threshold,
    difference?.estimate ?? '',
    difference?.lower ?? '',
    difference?.upper ?? '',
    delong?.z ?? '',
    delong?.p ?? '',
  ];
}
