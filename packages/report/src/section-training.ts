import { axes, line, marks, PLOT_COLOURS, renderChart, seriesStyle } from './chart.js';
import { dataTable } from './data-table.js';
import { decimal } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';

type History = NonNullable<MeasuredReport['history']>;

export function trainingSection(history: History): Section {
  const curves = curvesOf(history);
  const marked = curves.map((curve) => curve.find((epoch) => epoch.kept) ?? highestOf(curve));
  const several = curves.length > 1;
  return {
    id: 'training',
    title: 'Training',
    body: html`<p>${several ? describeSeveral(curves, marked) : describeOne(history)}</p>
<div class="pair">${figure({ plot: lossPlot(curves), caption: `Training loss by epoch${several ? ', one line a model' : ''}.` })}${figure({ plot: aucPlot(curves, marked), caption: `Validation ROC-AUC by epoch; diamond: ${marked.every((epoch) => epoch.kept) ? 'the epoch whose weights were kept' : 'the highest'}. Dashed: chance.` })}</div>
<details><summary>Numbers of the training curves</summary>${dataTable({
      caption: 'Training loss and validation AUC by epoch',
      csv: 'training',
      columns: [...(several ? ['Model'] : []), 'Epoch', 'Training loss', 'Validation AUC'],
      rows: history.map(({ of = '', epoch, trainLoss, validationAuc }) => [
        ...(several ? [of] : []),
        epoch,
        { shown: decimal(trainLoss, 4), value: trainLoss },
        { shown: decimal(validationAuc), value: validationAuc },
      ]),
    })}</details>`,
  };
}

/** The epochs of each model. */
function curvesOf(history: History): History[] {
  const names = [...new Set(history.map(({ of }) => of))];
  return names.map((name) => history.filter(({ of }) => of === name));
}

const highestOf = (curve: History) =>
  curve.reduce((most, epoch) => (epoch.validationAuc > most.validationAuc ? epoch : most));

function describeOne(history: History): string {
  const highest = highestOf(history);
  const kept = history.find((epoch) => epoch.kept);
  return `${kept ? `The model has the weights of epoch ${kept.epoch}, validation AUC ${decimal(kept.validationAuc)}. ` : ''}The validation AUC was highest, ${decimal(highest.validationAuc)}, after epoch ${highest.epoch} of ${history.at(-1)!.epoch}.`;
}

function describeSeveral(curves: History[], marked: History): string {
  const range = (values: number[], show: (value: number) => string) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? show(least) : `${show(least)} to ${show(most)}`;
  };
  const epochs = marked.map(({ epoch }) => epoch);
  const trained = curves.map((curve) => curve.at(-1)!.epoch);
  const aucs = marked.map(({ validationAuc }) => validationAuc);
  return `${curves.length} models were trained for ${range(trained, String)} epochs; they have the weights of epoch ${range(epochs, String)}, validation AUC ${range(aucs, (auc) => decimal(auc))}.`;
}

const WIDTH = 360;
const HEIGHT = 280;

function epochAxis(curves: History[]) {
  const first = Math.min(...curves.map((curve) => curve[0]!.epoch));
  const last = Math.max(...curves.map((curve) => curve.at(-1)!.epoch), first + 1);
  // Ticks at whole epochs: a step of 1, 2, 5, 10... that leaves about six.
  const rough = (last - first) / 6;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 1;
  return {
    name: 'Epoch',
    min: Math.floor(first / step) * step,
    max: Math.ceil(last / step) * step,
    interval: step,
  };
}

/** Several lines are thinner, so that they can be told apart. */
const widthOf = (curves: History[]) => (curves.length > 1 ? { width: 1 } : {});

function lossPlot(curves: History[]) {
  const history = curves.flat();
  const highest = Math.max(...history.map(({ trainLoss }) => trainLoss));
  const power = 10 ** Math.floor(Math.log10(highest > 0 ? highest : 1));
  const step = ([0.2, 0.5, 1, 2].find((factor) => factor * power * 5 >= highest) ?? 2) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return renderChart({
    name: 'loss',
    width: WIDTH,
    height: HEIGHT,
    description: `Training loss from ${decimal(history[0]!.trainLoss)} to ${decimal(history.at(-1)!.trainLoss)} over ${history.length} epochs${curves.length > 1 ? ` of ${curves.length} models` : ''}.`,
    option: {
      ...axes(epochAxis(curves), {
        name: 'Training loss',
        min: 0,
        max: Math.ceil(highest / step - 1e-9) * step,
        interval: step,
        format: (value) => value.toFixed(digits),
      }),
      series: curves.map((curve) =>
        line(
          curve.map(({ epoch, trainLoss }) => [epoch, trainLoss]),
          { colour: seriesStyle(0).colour, ...widthOf(curves) },
        ),
      ),
    },
  });
}

function aucPlot(curves: History[], marked: History) {
  const history = curves.flat();
  const lowest = Math.min(0.5, ...history.map(({ validationAuc }) => validationAuc));
  const x = epochAxis(curves);
  const { colour } = seriesStyle(2);
  return renderChart({
    name: 'validation',
    width: WIDTH,
    height: HEIGHT,
    description: `Validation AUC from ${decimal(history[0]!.validationAuc, 2)} to ${decimal(history.at(-1)!.validationAuc, 2)}; marked: ${marked.map(({ epoch, validationAuc }) => `${decimal(validationAuc, 2)} after epoch ${epoch}`).join(', ')}.`,
    option: {
      ...axes(x, {
        name: 'Validation AUC',
        min: Math.floor(lowest * 10 + 1e-9) / 10,
        max: 1,
        interval: 0.1,
        format: (value) => value.toFixed(1),
      }),
      series: [
        line(
          [
            [x.min, 0.5],
            [x.max, 0.5],
          ],
          { colour: PLOT_COLOURS.muted, dash: [4, 4], width: 1 },
        ),
        ...curves.map((curve) =>
          line(
            curve.map(({ epoch, validationAuc }) => [epoch, validationAuc]),
            { colour, ...widthOf(curves) },
          ),
        ),
        marks(
          marked.map(({ epoch, validationAuc }) => [epoch, validationAuc]),
          colour,
          'diamond',
          curves.length > 1 ? 9 : 13,
        ),
      ],
    },
  });
}
