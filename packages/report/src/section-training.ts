import { axes, line, marks, PLOT_COLOURS, renderChart, seriesStyle } from './chart.js';
import { dataTable } from './data-table.js';
import { decimal } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';

type History = NonNullable<MeasuredReport['history']>;

export function trainingSection(history: History): Section {
  const highest = history.reduce((most, epoch) => (epoch.validationAuc > most.validationAuc ? epoch : most));
  const kept = history.find((epoch) => epoch.kept);
  const marked = kept ?? highest;
  return {
    id: 'training',
    title: 'Training',
    body: html`<p>${kept ? `The model has the weights of epoch ${kept.epoch}, validation AUC ${decimal(kept.validationAuc)}. ` : ''}The validation AUC was highest, ${decimal(highest.validationAuc)}, after epoch ${highest.epoch} of ${history.at(-1)!.epoch}.</p>
<div class="pair">${figure({ plot: lossPlot(history), caption: 'Training loss by epoch.' })}${figure({ plot: aucPlot(history, marked), caption: `Validation ROC-AUC by epoch; diamond: ${kept ? 'the epoch whose weights were kept' : 'the highest'}. Dashed: chance.` })}</div>
<details><summary>Numbers of the training curves</summary>${dataTable({
      caption: 'Training loss and validation AUC by epoch',
      csv: 'training',
      columns: ['Epoch', 'Training loss', 'Validation AUC'],
      rows: history.map(({ epoch, trainLoss, validationAuc }) => [
        epoch,
        { shown: decimal(trainLoss, 4), value: trainLoss },
        { shown: decimal(validationAuc), value: validationAuc },
      ]),
    })}</details>`,
  };
}

const WIDTH = 360;
const HEIGHT = 280;

function epochAxis(history: History) {
  const first = history[0]!.epoch;
  const last = Math.max(history.at(-1)!.epoch, first + 1);
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

function lossPlot(history: History) {
  const highest = Math.max(...history.map(({ trainLoss }) => trainLoss));
  const power = 10 ** Math.floor(Math.log10(highest > 0 ? highest : 1));
  const step = ([0.2, 0.5, 1, 2].find((factor) => factor * power * 5 >= highest) ?? 2) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return renderChart({
    name: 'loss',
    width: WIDTH,
    height: HEIGHT,
    description: `Training loss from ${decimal(history[0]!.trainLoss)} to ${decimal(history.at(-1)!.trainLoss)} over ${history.length} epochs.`,
    option: {
      ...axes(epochAxis(history), {
        name: 'Training loss',
        min: 0,
        max: Math.ceil(highest / step - 1e-9) * step,
        interval: step,
        format: (value) => value.toFixed(digits),
      }),
      series: [
        line(
          history.map(({ epoch, trainLoss }) => [epoch, trainLoss]),
          { colour: seriesStyle(0).colour },
        ),
      ],
    },
  });
}

function aucPlot(history: History, marked: History[number]) {
  const lowest = Math.min(0.5, ...history.map(({ validationAuc }) => validationAuc));
  const x = epochAxis(history);
  const { colour } = seriesStyle(2);
  return renderChart({
    name: 'validation',
    width: WIDTH,
    height: HEIGHT,
    description: `Validation AUC from ${decimal(history[0]!.validationAuc, 2)} to ${decimal(history.at(-1)!.validationAuc, 2)}, ${decimal(marked.validationAuc, 2)} after epoch ${marked.epoch}, which is marked.`,
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
        line(
          history.map(({ epoch, validationAuc }) => [epoch, validationAuc]),
          { colour },
        ),
        marks([[marked.epoch, marked.validationAuc]], colour, 'diamond', 13),
      ],
    },
  });
}
