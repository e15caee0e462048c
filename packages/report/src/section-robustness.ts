import { wilsonCi } from '@onco-response/metrics';
import { axes, band, line, PLOT_COLOURS, renderChart, seriesStyle } from './chart.js';
import { dataTable } from './data-table.js';
import { forestTable } from './forest-table.js';
import { decimal, interval, percent } from './format-number.js';
import { html, type Markup } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { ConformalResult, OutOfDistribution, StressResult } from './report-robustness.js';
import { figure, type Section } from './section.js';
import { spread } from './section-ablations.js';

export function robustnessSection(report: MeasuredReport): Section {
  const { stress = [], outOfDistribution, conformal, bootstrap } = report;
  return {
    id: 'robustness',
    title: 'Robustness',
    body: html`${stress.length > 0 && stressPart(stress, report)}${outOfDistribution && strangersPart(outOfDistribution, report)}${
      conformal && conformalPart(conformal, bootstrap.level)
    }`,
  };
}

function stressPart(stress: readonly StressResult[], { main }: MeasuredReport): Markup {
  return html`<h3>Changed input</h3>
<p>The same test cases with their input changed on purpose. Left of the dashed line the changed input gives a smaller AUC. A flip is a case whose call at the threshold of ${decimal(main.evaluation.threshold, 3)} changed.</p>
${forestTable({
  caption: 'Change in AUC and flips when the input is changed',
  nameColumn: 'Change',
  valueColumn: 'Change in AUC',
  columns: ['AUC', 'Flips'],
  reference: 0,
  atLeast: [-0.05, 0.05],
  limits: [-1, 1],
  rows: stress.map(({ name, cases, excluded, auc, aucChange, flips }) => ({
    name,
    below: `${cases} cases${excluded ? `, ${excluded} left out` : ''}`,
    value: aucChange,
    cells: [decimal(auc.estimate, 2), `${flips} (${percent(cases === 0 ? 0 : flips / cases)})`],
  })),
  csv: 'stress',
  csvColumns: [
    'change',
    'cases',
    'excluded',
    'auc',
    'aucLower',
    'aucUpper',
    'aucChange',
    'aucChangeLower',
    'aucChangeUpper',
    'flips',
    'flipRate',
    'meanProbabilityChange',
  ],
  csvRows: stress.map((one): (string | number)[] => [
    one.name,
    one.cases,
    one.excluded ?? 0,
    ...spread(one.auc),
    ...spread(one.aucChange),
    one.flips,
    one.cases === 0 ? '' : one.flips / one.cases,
    one.meanProbabilityChange ?? '',
  ]),
})}`;
}

function strangersPart(
  { method, scores, threshold, rule, detectionAuc = [] }: OutOfDistribution,
  { main }: MeasuredReport,
): Markup {
  const flagged = scores.map((score) => score > threshold);
  const count = flagged.filter(Boolean).length;
  const called = main.evaluation.threshold;
  const right = (of: boolean) => {
    const own = flagged.flatMap((flag, i) => (flag === of ? [i] : []));
    const correct = own.filter((i) => Number(main.scores[i]! >= called) === main.labels[i]).length;
    return { cases: own.length, correct };
  };
  const rows = [false, true].map((flag) => ({ name: flag ? 'flagged' : 'not flagged', ...right(flag) }));
  const sorted = [...scores].sort((a, b) => a - b);
  return html`<h3>Cases unlike the training cases</h3>
<p>${method}. ${count} of ${scores.length} test cases (${percent(count / scores.length, 1)}) lie above the limit of ${decimal(threshold, 2)} (${rule}).</p>
${figure({
  plot: distributionPlot(sorted, threshold),
  caption: 'Share of test cases at or below each score. Dashed: the limit above which a case is flagged.',
  numbers: dataTable({
    caption: 'Calls that were right',
    csv: 'out-of-distribution',
    columns: ['Cases', 'Number', 'Right'],
    rows: rows.map(({ name, cases, correct }) => {
      if (cases === 0) return [name, 0, 'no cases'];
      const { estimate, lower, upper } = wilsonCi(correct, cases);
      return [
        name,
        cases,
        { shown: percent(estimate), below: `${percent(lower)}\u2013${percent(upper)}`, value: estimate },
      ];
    }),
    csvRows: {
      columns: ['case', 'score', 'flagged'],
      rows: scores.map((score, i) => [i + 1, score, flagged[i] ? 1 : 0]),
    },
  }),
})}${
  detectionAuc.length > 0 &&
  dataTable({
    caption: 'How well the score tells strangers put in on purpose from test cases',
    csv: 'out-of-distribution-detection',
    columns: ['Strangers', 'ROC\u2011AUC'],
    rows: detectionAuc.map(({ name, auc }) => [name, { shown: decimal(auc, 3), value: auc }]),
  })
}`;
}

function distributionPlot(sorted: number[], threshold: number): Markup {
  const low = Math.min(0, sorted[0]!);
  const high = Math.max(threshold, sorted.at(-1)!);
  const power = 10 ** Math.floor(Math.log10((high - low || 1) / 4));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => (high - low) / size <= 5) ?? 10 * power;
  const [min, max] = [Math.floor(low / step) * step, Math.ceil(high / step + 1e-9) * step];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const stairs = sorted.flatMap((score, i): [number, number][] => [
    [score, i / sorted.length],
    [score, (i + 1) / sorted.length],
  ]);
  const { colour } = seriesStyle(0);
  return renderChart({
    name: 'strangers',
    width: 460,
    height: 300,
    description: `Share of test cases by out-of-distribution score: median ${decimal(sorted[Math.floor(sorted.length / 2)]!, 2)}, highest ${decimal(sorted.at(-1)!, 2)}, limit ${decimal(threshold, 2)}.`,
    option: {
      ...axes(
        { name: 'Score', min, max, interval: step, format: (value) => decimal(value, digits) },
        { name: 'Share of cases', min: 0, max: 1, interval: 0.2, format: (value) => value.toFixed(1) },
      ),
      series: [
        band([threshold, max], [0, 0], [1, 1], PLOT_COLOURS.muted),
        line([[min, 0], ...stairs, [max, 1]], { colour }),
        line(
          [
            [threshold, 0],
            [threshold, 1],
          ],
          { colour: PLOT_COLOURS.ink, dash: [4, 4], width: 1 },
        ),
      ],
    },
  });
}

function conformalPart({ method, calibrationCases, levels }: ConformalResult, level: number): Markup {
  const rows = levels.map((one) => ({ ...one, share: wilsonCi(one.covered, one.cases, { level }) }));
  return html`<h3>Prediction sets</h3>
<p>${method}, calibrated on ${calibrationCases} cases. A set names every class that the data do not rule out: one class is a prediction, both mean "not sure". The promise is the share of cases whose set holds the truth, over many cohorts like this one.</p>
${dataTable({
  caption: 'Coverage of the prediction sets on the test cases',
  csv: 'conformal',
  columns: ['Promised', 'Covered', 'Promise kept', 'One class', 'Both', 'None', 'By class'],
  rows: rows.map(({ target, covered, cases, share, singletons, both, empty, perClass = [] }) => [
    { shown: percent(target), value: target },
    {
      shown: percent(share.estimate, 1),
      below: interval(share.lower, share.upper, 2),
      value: covered / cases,
    },
    share.upper < target ? 'no' : share.lower > target ? 'yes, and more' : 'yes',
    `${percent(singletons / cases)}`,
    `${percent(both / cases)}`,
    `${percent(empty / cases)}`,
    perClass
      .map(
        (one) =>
          `${one.label === 1 ? 'positive' : 'negative'} ${one.cases === 0 ? 'no cases' : percent(one.covered / one.cases)}`,
      )
      .join(', '),
  ]),
  csvRows: {
    columns: [
      'target',
      'covered',
      'cases',
      'coverage',
      'coverageLower',
      'coverageUpper',
      'singletons',
      'both',
      'empty',
      'positivesCovered',
      'positives',
      'negativesCovered',
      'negatives',
    ],
    rows: rows.map(({ target, covered, cases, share, singletons, both, empty, perClass }) => {
      const of = (label: number) => perClass?.find((one) => one.label === label);
      return [
        target,
        covered,
        cases,
        share.estimate,
        share.lower,
        share.upper,
        singletons,
        both,
        empty,
        of(1)?.covered ?? '',
        of(1)?.cases ?? '',
        of(0)?.covered ?? '',
        of(0)?.cases ?? '',
      ];
    }),
  },
})}`;
}
