import { axes, line, PLOT_COLOURS, renderChart, seriesStyle } from './chart.js';
import { csvLink, dataTable } from './data-table.js';
import { decimal, interval, levelPercent } from './format-number.js';
import { html, type Markup } from './markup.js';
import { modelLegend } from './model-legend.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';

export function decisionSection(report: MeasuredReport): Section {
  const { main, decisions, decisionAnalysis, decision, bootstrap, positiveClass } = report;
  const section = { id: 'decision', title: 'Decision curve' };
  if (typeof decisionAnalysis === 'string') {
    return {
      ...section,
      body: html`<p>The decision curve of ${main.name} is not defined. ${decisionAnalysis}</p>`,
    };
  }
  const level = levelPercent(bootstrap.level);
  const { shown } = decisionAnalysis;
  const drawn = decisions.flatMap(({ name, curve }, n) => (curve === null ? [] : [{ name, curve, n }]));
  const left = decisions.filter(({ curve }) => curve === null).map(({ name }) => name);
  return {
    ...section,
    body: html`<p>Would it pay to act on the model? At a threshold probability of 0.20, an action counts as worth taking when at least one case in five called positive is positive (${positiveClass}). Net benefit is the true positives in 100 cases, less the false positives weighted by the odds of that threshold.${decision?.action !== undefined && ` The action: ${decision.action}.`} ${decision?.reason ?? (decision?.from === undefined ? 'The range below is the default one: nobody chose it for this question.' : '')}</p>
<div class="pair">${figure({
      plot: benefitPlot(report, drawn),
      caption: `Net benefit per 100 cases. Dashed: act on everybody. Dotted: act on nobody (0).`,
    })}${figure({
      plot: avoidedPlot(report, drawn),
      caption:
        'Unnecessary actions avoided per 100 cases, against acting on everybody, at no loss of true positives.',
    })}</div>
<div class="legend-wide">${modelLegend('Models', models(drawn))}</div>
${left.length > 0 && html`<p class="quiet">Without a curve, as their scores are no probabilities: ${left.join(', ')}.</p>`}
${dataTable({
  caption: `${main.name}, per 100 cases, with ${level}% bootstrap intervals. Gain is net benefit minus that of the better of acting on everybody and on nobody.`,
  csv: 'decision-thresholds',
  columns: ['Threshold', 'Net benefit', 'Act on everybody', 'Gain', 'Actions avoided'],
  rows: shown.map(({ threshold, netBenefit, treatAll, gain, avoidedPer100 }) => [
    { shown: decimal(threshold, 2), value: threshold },
    per100(netBenefit),
    { shown: decimal(100 * treatAll, 1), value: treatAll },
    per100(gain),
    {
      shown: decimal(avoidedPer100.estimate, 1),
      below: interval(avoidedPer100.lower, avoidedPer100.upper, 1),
      value: avoidedPer100.estimate,
    },
  ]),
  csvRows: {
    columns: [
      'threshold',
      'netBenefit',
      'netBenefitLower',
      'netBenefitUpper',
      'treatAll',
      'gain',
      'gainLower',
      'gainUpper',
      'avoidedPer100',
      'avoidedPer100Lower',
      'avoidedPer100Upper',
    ],
    rows: shown.map(({ threshold, netBenefit, treatAll, gain, avoidedPer100 }) => [
      threshold,
      netBenefit.estimate,
      netBenefit.lower,
      netBenefit.upper,
      treatAll,
      gain.estimate,
      gain.lower,
      gain.upper,
      avoidedPer100.estimate,
      avoidedPer100.lower,
      avoidedPer100.upper,
    ]),
  },
})}${csvLink(
  'decision-curves',
  ['model', 'threshold', 'netBenefit', 'treatAll', 'treatNone', 'interventionsAvoided'],
  drawn.flatMap(({ name, curve }) =>
    curve.map((point): (string | number)[] => [
      name,
      point.threshold,
      point.netBenefit,
      point.treatAll,
      point.treatNone,
      point.interventionsAvoided,
    ]),
  ),
)}`,
  };
}

type Drawn = { name: string; curve: NonNullable<MeasuredReport['decisions'][number]['curve']>; n: number }[];

const models = (drawn: Drawn) =>
  drawn.map(({ name, curve }) => ({
    name,
    value: `highest net benefit ${decimal(100 * Math.max(...curve.map(({ netBenefit }) => netBenefit)), 1)} per 100`,
  }));

const per100 = ({ estimate, lower, upper }: { estimate: number; lower: number; upper: number }) => ({
  shown: decimal(100 * estimate, 1),
  below: interval(100 * lower, 100 * upper, 1),
  value: estimate,
});

function benefitPlot({ main }: MeasuredReport, drawn: Drawn): Markup {
  const all = drawn[0]!.curve;
  const { prevalence } = main.evaluation;
  const top =
    100 * Math.max(prevalence, ...drawn.flatMap(({ curve }) => curve.map(({ netBenefit }) => netBenefit)));
  const step = niceStep(top * 1.25);
  // Far below 0 there is nothing to read but how bad it is: the plot ends one tick down.
  const floor = -step;
  return plot('decision-benefit', drawn, {
    y: { name: 'Net benefit per 100', min: floor, max: Math.ceil(top / step) * step, interval: step },
    value: ({ netBenefit }) => 100 * netBenefit,
    others: [
      ...above(
        all.map(({ threshold, treatAll }) => [threshold, 100 * treatAll]),
        floor,
      ).map((stretch) => line(stretch, { colour: PLOT_COLOURS.muted, dash: [6, 4], width: 1.5 })),
      line(
        all.map(({ threshold }) => [threshold, 0]),
        { colour: PLOT_COLOURS.ink, dash: [1, 3], width: 1.5 },
      ),
    ],
    floor,
    description: `Net benefit against threshold probability from ${decimal(all[0]!.threshold, 2)} to ${decimal(all.at(-1)!.threshold, 2)}; the numbers are in the table below.`,
  });
}

function avoidedPlot(_: MeasuredReport, drawn: Drawn): Markup {
  const values = drawn.flatMap(({ curve }) =>
    curve.map(({ interventionsAvoided }) => 100 * interventionsAvoided),
  );
  const top = Math.max(10, ...values);
  const step = niceStep(top * 1.25);
  const floor = Math.min(...values) < -1 ? -step : 0;
  return plot('decision-avoided', drawn, {
    y: { name: 'Avoided per 100', min: floor, max: Math.ceil(top / step) * step, interval: step },
    value: ({ interventionsAvoided }) => 100 * interventionsAvoided,
    others: [],
    floor,
    description:
      'Unnecessary actions avoided per 100 cases against threshold probability; the numbers are in the table below.',
  });
}

interface PlotOptions {
  y: { name: string; min: number; max: number; interval: number };
  value: (point: Drawn[number]['curve'][number]) => number;
  others: object[];
  floor: number;
  description: string;
}

function plot(name: string, drawn: Drawn, { y, value, others, floor, description }: PlotOptions): Markup {
  const [first, last] = [drawn[0]!.curve[0]!.threshold, drawn[0]!.curve.at(-1)!.threshold];
  const xStep = last - first > 0.45 ? 0.2 : last - first > 0.2 ? 0.1 : 0.05;
  return renderChart({
    name,
    width: 360,
    height: 320,
    description,
    option: {
      ...axes(
        {
          name: 'Threshold probability',
          min: Math.floor(first / xStep + 1e-9) * xStep,
          max: Math.ceil(last / xStep - 1e-9) * xStep,
          interval: xStep,
          format: (at) => at.toFixed(xStep < 0.1 ? 2 : 1),
        },
        { ...y, format: (at) => decimal(at, y.interval < 1 ? 1 : 0) },
      ),
      series: [
        ...others,
        ...drawn.flatMap(({ curve, n }) => {
          const { colour, dash } = seriesStyle(n);
          return above(
            curve.map((point) => [point.threshold, value(point)]),
            floor,
          ).map((stretch) => line(stretch, { colour, dash, width: n === 0 ? 2.5 : 1.8 }));
        }),
      ],
    },
  });
}

const niceStep = (span: number) => {
  const power = 10 ** Math.floor(Math.log10(span / 4));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= 5) ?? 10 * power;
};

/** The stretches of a curve above the floor of the plot, each ending on it: a line that leaves the plot ends at its edge. */
function above(points: [number, number][], floor: number): [number, number][][] {
  const stretches: [number, number][][] = [];
  let stretch: [number, number][] = [];
  const end = () => {
    if (stretch.length > 1) stretches.push(stretch);
    stretch = [];
  };
  for (const [i, point] of points.entries()) {
    const before = points[i - 1];
    const inside = point[1] >= floor;
    if (before !== undefined && before[1] >= floor !== inside) {
      const share = (floor - before[1]) / (point[1] - before[1]);
      stretch.push([before[0] + share * (point[0] - before[0]), floor]);
    }
    if (inside) stretch.push(point);
    else end();
  }
  end();
  return stretches;
}
