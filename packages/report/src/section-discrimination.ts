import { prCurve, rocBand, rocCurve } from '@onco-response/metrics';
import { axes, band, line, PLOT_COLOURS, renderChart, seriesStyle } from './chart.js';
import { type Cell, csvLink, dataTable } from './data-table.js';
import { decimal, interval, levelPercent, percent, withInterval } from './format-number.js';
import { html } from './markup.js';
import { modelLegend } from './model-legend.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';
import { withoutCollinear } from './thin-curve.js';

const SHARE = { min: 0, max: 1, interval: 0.2, format: (value: number) => value.toFixed(1) };

export function rocSection({ models, main, bootstrap }: MeasuredReport): Section {
  const level = levelPercent(bootstrap.level);
  const curves = models.map((model) => rocCurve(model.labels, model.scores));
  const limits = rocBand(main.labels, main.scores, {
    ...bootstrap,
    points: 101,
    ...(main.clusters ? { clusters: main.clusters } : {}),
  });
  const plot = renderChart({
    name: 'roc',
    width: 460,
    height: 430,
    description: `ROC curves. Area under the curve: ${models.map((model) => `${model.name} ${decimal(model.evaluation.rocAuc.estimate, 2)}`).join(', ')}.`,
    option: {
      ...axes({ name: '1 \u2212 specificity', ...SHARE }, { name: 'Sensitivity', ...SHARE }),
      series: [
        band(limits.fpr, limits.lower, limits.upper, seriesStyle(0).colour),
        line(
          [
            [0, 0],
            [1, 1],
          ],
          { colour: PLOT_COLOURS.muted, dash: [4, 4], width: 1 },
        ),
        ...curves.map((curve, n) => {
          const { colour, dash } = seriesStyle(n);
          return line(withoutCollinear(curve.fpr.map((x, i) => [x, curve.tpr[i]!])), {
            colour,
            dash,
            width: n === 0 ? 2.5 : 1.8,
          });
        }),
      ],
    },
  });
  const specificities = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5];
  const numbers = html`${dataTable({
    caption: `Sensitivity at fixed specificity; for ${main.name} with its ${level}% band`,
    columns: ['Specificity', ...models.map((model) => model.name)],
    csv: 'roc-operating-points',
    rows: specificities.map((specificity): Cell[] => [
      { shown: decimal(specificity, 2), value: specificity },
      ...curves.map((curve, n): Cell => {
        const sensitivity = highestSensitivity(curve, 1 - specificity);
        const at = Math.round((1 - specificity) * 100);
        const below = n === 0 ? { below: interval(limits.lower[at]!, limits.upper[at]!, 2) } : {};
        return { shown: decimal(sensitivity, 2), value: sensitivity, ...below };
      }),
    ]),
  })}${csvLink(
    'roc-band',
    ['one_minus_specificity', 'lower', 'upper'],
    limits.fpr.map((x, i) => [x, limits.lower[i]!, limits.upper[i]!]),
  )}${csvLink(
    'roc-curves',
    ['model', 'threshold', 'one_minus_specificity', 'sensitivity'],
    models.flatMap((model, n) =>
      curves[n]!.thresholds.map((threshold, i): (string | number)[] => [
        model.name,
        threshold === Infinity ? '' : threshold,
        curves[n]!.fpr[i]!,
        curves[n]!.tpr[i]!,
      ]),
    ),
  )}`;
  return {
    id: 'roc',
    title: 'ROC curve',
    body: html`${figure({
      plot,
      caption: `ROC curves of the test cases. Shaded: pointwise ${level}% bootstrap band of ${main.name}. Dashed diagonal: chance.`,
      numbers: modelLegend(
        `ROC-AUC (${level}% CI)`,
        models.map((model) => ({ name: model.name, value: withInterval(model.evaluation.rocAuc) })),
      ),
    })}${numbers}`,
  };
}

function highestSensitivity({ fpr, tpr }: { fpr: number[]; tpr: number[] }, limit: number): number {
  // 1e-12: 1 - 0.9 is a little less than 0.1.
  return tpr.reduce((best, value, i) => (fpr[i]! <= limit + 1e-12 ? Math.max(best, value) : best), 0);
}

export function prSection({ models, main, positiveClass, bootstrap }: MeasuredReport): Section {
  const { prevalence } = main.evaluation;
  const curves = models.map((model) => prCurve(model.labels, model.scores));
  const plot = renderChart({
    name: 'pr',
    width: 460,
    height: 430,
    description: `Precision-recall curves. Average precision: ${models.map((model) => `${model.name} ${decimal(model.evaluation.prAuc.estimate, 2)}`).join(', ')}. Chance is the prevalence, ${decimal(prevalence, 2)}.`,
    option: {
      ...axes({ name: 'Recall (sensitivity)', ...SHARE }, { name: 'Precision', ...SHARE }),
      series: [
        line(
          [
            [0, prevalence],
            [1, prevalence],
          ],
          { colour: PLOT_COLOURS.muted, dash: [4, 4], width: 1 },
        ),
        ...curves.map(({ precision, recall }, n) => {
          const { colour, dash } = seriesStyle(n);
          return line(withoutCollinear(steps(precision, recall)), {
            colour,
            dash,
            width: n === 0 ? 2.5 : 1.8,
          });
        }),
      ],
    },
  });
  const recalls = [0.2, 0.4, 0.6, 0.8, 0.9, 1];
  return {
    id: 'precision-recall',
    title: 'Precision and recall',
    body: html`${figure({
      plot,
      caption: `Precision-recall curve of each model for the positive class (${positiveClass}); its area is average precision. Dashed: prevalence (${percent(prevalence, 1)}), the value of chance.`,
      numbers: modelLegend(
        `Average precision (${levelPercent(bootstrap.level)}% CI)`,
        models.map((model) => ({ name: model.name, value: withInterval(model.evaluation.prAuc) })),
      ),
    })}${dataTable({
      caption: 'Best precision at or above a recall',
      columns: ['Recall', ...models.map((model) => model.name)],
      csv: 'precision-at-recall',
      rows: recalls.map((wanted): Cell[] => [
        { shown: decimal(wanted, 2), value: wanted },
        ...curves.map(({ precision, recall }): Cell => {
          const best = precision.reduce(
            (most, value, i) => (recall[i]! >= wanted - 1e-12 ? Math.max(most, value) : most),
            0,
          );
          return { shown: decimal(best, 2), value: best };
        }),
      ]),
    })}${csvLink(
      'precision-recall-curves',
      ['model', 'threshold', 'precision', 'recall'],
      models.flatMap((model, n) =>
        curves[n]!.thresholds.map((threshold, i): (string | number)[] => [
          model.name,
          threshold,
          curves[n]!.precision[i]!,
          curves[n]!.recall[i]!,
        ]),
      ),
    )}`,
  };
}

/** The staircase whose area is average precision: from one recall to the next at the later one's precision. */
function steps(precision: number[], recall: number[]): [number, number][] {
  const points: [number, number][] = [];
  for (let i = recall.length - 2, last = 0; i >= 0; i--) {
    if (recall[i]! === last) continue; // negatives between two positives: no width, no area
    points.push([last, precision[i]!], [recall[i]!, precision[i]!]);
    last = recall[i]!;
  }
  return points;
}
