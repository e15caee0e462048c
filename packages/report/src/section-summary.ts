import { axes, line, marks, PLOT_COLOURS, renderChart, seriesStyle, whiskers } from './chart.js';
import { decimal, levelPercent, pValue, withInterval } from './format-number.js';
import { html, type Markup } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';

export function summarySection(report: MeasuredReport): Section {
  return {
    id: 'summary',
    title: 'Summary',
    body: html`${headline(report)}${inWords(report)}${forest(report)}`,
  };
}

function headline({ main, baseline, reachableAuc, bootstrap }: MeasuredReport): Markup {
  const level = levelPercent(bootstrap.level);
  const card = (label: string, value: string, detail: string, lead = false) =>
    html`<div class="${lead ? 'card lead' : 'card'}"><dt>${label}</dt><dd><span class="figure">${value}</span> <span class="detail">${detail}</span></dd></div>`;
  const auc = main.evaluation.rocAuc;
  const versus = main.comparison;
  return html`<dl class="cards">
${card(`ROC-AUC, ${main.name}`, decimal(auc.estimate, 2), `${level}% CI ${decimal(auc.lower, 2)} to ${decimal(auc.upper, 2)}`, true)}
${
  baseline &&
  baseline !== main &&
  card(
    `ROC-AUC, ${baseline.name}`,
    decimal(baseline.evaluation.rocAuc.estimate, 2),
    `${level}% CI ${decimal(baseline.evaluation.rocAuc.lower, 2)} to ${decimal(baseline.evaluation.rocAuc.upper, 2)}`,
  )
}
${
  versus &&
  card(
    'Difference',
    `${versus.difference.estimate > 0 ? '+' : ''}${decimal(versus.difference.estimate, 2)}`,
    `${level}% CI ${decimal(versus.difference.lower, 2)} to ${decimal(versus.difference.upper, 2)}; DeLong ${versus.delong ? pValue(versus.delong.p) : 'not defined'}`,
  )
}
${reachableAuc && card('Best reachable ROC-AUC', decimal(reachableAuc.value, 2), reachableAuc.description)}
</dl>`;
}

function inWords({ main, baseline, positiveClass, bootstrap, threshold, warnings }: MeasuredReport): Markup {
  const { evaluation, comparison } = main;
  const auc = evaluation.rocAuc;
  const chance =
    auc.lower > 0.5
      ? 'The interval lies above 0.5, the value of chance.'
      : auc.upper < 0.5
        ? 'The interval lies below 0.5, the value of chance: the scores point the wrong way.'
        : 'The interval includes 0.5, the value of chance: these cases do not show that the model can tell the classes apart.';
  const against = comparison?.difference;
  const verdict =
    against === undefined
      ? ''
      : against.lower > 0
        ? `Its AUC is above that of ${quoted(baseline!.name)}.`
        : against.upper < 0
          ? `Its AUC is below that of ${quoted(baseline!.name)}.`
          : `The difference from ${quoted(baseline!.name)} may be chance: its interval includes 0.`;
  const drawn = evaluation.bootstrap.clustered ? 'patients' : 'cases';
  return html`<p>On ${evaluation.cases} test cases${evaluation.patients !== null && html` of ${evaluation.patients} patients`}, ${evaluation.positives} of them positive (${positiveClass}), ${quoted(main.name)} has a ROC-AUC of <span class="whole">${withInterval(auc)}</span>. ${chance} ${verdict}
At the threshold of ${decimal(evaluation.threshold, 3)}, chosen on ${threshold.chosenOn} cases, sensitivity is ${decimal(evaluation.sensitivity.estimate, 2)} and specificity ${decimal(evaluation.specificity.estimate, 2)}.</p>
<p class="quiet">Intervals of AUC are ${levelPercent(bootstrap.level)}% percentile bootstrap intervals over ${drawn} (${bootstrap.resamples} stratified resamples, seed ${bootstrap.seed}).${
    warnings.length > 0 &&
    html` <a href="#warnings">${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}</a> came with this run.`
  }</p>`;
}

const quoted = (name: string) => `\u201c${name}\u201d`;

/** AUC of every model on one scale, beside chance and what could be reached. */
function forest(report: MeasuredReport): Markup {
  const { models, reachableAuc } = report;
  // A phone would shrink the wide plot's text to nothing, so it has a plot of its own; the page shows one of the two.
  const plot = html`<div class="wide">${forestPlot(report, 'forest', 768)}</div><div class="narrow">${forestPlot(report, 'forest-narrow', 350)}</div>`;
  // Names stand in HTML above their row: a plot's text cannot wrap, and models' names are long.
  const rows = models.map(
    (model, n) =>
      html`<li><span class="swatch" style="background:${seriesStyle(n).cssColour}"></span>${model.name} <span class="number">${withInterval(model.evaluation.rocAuc, 2)}</span></li>`,
  );
  return html`${figure({
    legend: html`<ol class="rows">${rows}</ol>`,
    plot,
    caption: `ROC-AUC on the test cases, models in the order listed. Dashed: chance (0.5).${
      reachableAuc ? ` Dotted: best reachable (${decimal(reachableAuc.value, 2)}).` : ''
    }`,
  })}`;
}

function forestPlot(
  { models, reachableAuc, bootstrap }: MeasuredReport,
  name: string,
  width: number,
): Markup {
  const low = Math.min(0.5, ...models.map((model) => model.evaluation.rocAuc.lower));
  const min = Math.max(0, Math.floor(low * 10) / 10);
  const top = models.length;
  const at = (n: number) => top - n - 0.5;
  const upright = (value: number): [number, number][] => [
    [value, 0],
    [value, top],
  ];
  return renderChart({
    name,
    width,
    height: 74 + 34 * top,
    description: `ROC-AUC with ${levelPercent(bootstrap.level)}% interval. ${models
      .map((model) => `${model.name}: ${withInterval(model.evaluation.rocAuc, 2)}`)
      .join(
        '; ',
      )}. Chance is 0.5${reachableAuc ? `, the best reachable ${decimal(reachableAuc.value, 2)}` : ''}.`,
    option: {
      ...axes(
        { name: 'ROC-AUC', min, max: 1, interval: 0.1, format: (value) => value.toFixed(1) },
        { name: '', min: 0, max: top },
      ),
      yAxis: { type: 'value', min: 0, max: top, show: false },
      grid: { left: 16, right: 16, top: 8, bottom: 52 },
      series: [
        line(upright(0.5), { colour: PLOT_COLOURS.ink, dash: [4, 4], width: 1 }),
        ...(reachableAuc
          ? [line(upright(reachableAuc.value), { colour: PLOT_COLOURS.ink, dash: [1, 3], width: 1.5 })]
          : []),
        whiskers(
          models.map((model, n) => {
            const { lower, upper } = model.evaluation.rocAuc;
            return { from: [lower, at(n)], to: [upper, at(n)], colour: seriesStyle(n).colour };
          }),
        ),
        ...models.map((model, n) =>
          marks(
            [[model.evaluation.rocAuc.estimate, at(n)]],
            seriesStyle(n).colour,
            n === 0 ? 'diamond' : 'circle',
            n === 0 ? 15 : 11,
          ),
        ),
      ],
    },
  });
}
