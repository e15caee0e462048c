import { axes, line, marks, PLOT_COLOURS, renderChart, seriesStyle, whiskers } from './chart.js';
import { dataTable } from './data-table.js';
import { decimal, interval, levelPercent } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import { figure, type Section } from './section.js';

const SHARE = { min: 0, max: 1, interval: 0.2, format: (value: number) => value.toFixed(1) };

export function calibrationSection({ main, bootstrap }: MeasuredReport): Section {
  const {
    calibrationBins: bins,
    calibration,
    brierScore,
    expectedCalibrationError,
    notDefined,
    prevalence,
  } = main.evaluation;
  const level = levelPercent(bootstrap.level);
  const section = { id: 'calibration', title: 'Calibration' };
  if (bins === null || brierScore === null || expectedCalibrationError === null) {
    const reason = notDefined.calibrationBins ?? notDefined.brierScore ?? 'The scores are no probabilities.';
    return { ...section, body: html`<p>Calibration of ${main.name} is not defined. ${reason}</p>` };
  }
  const { colour } = seriesStyle(0);
  const plot = renderChart({
    name: 'calibration',
    width: 460,
    height: 430,
    description: `Observed share of positives against predicted probability in ${bins.length} bins, with ${level}% intervals; the numbers are in the table beside.`,
    option: {
      ...axes({ name: 'Predicted probability', ...SHARE }, { name: 'Observed share', ...SHARE }),
      series: [
        line(
          [
            [0, 0],
            [1, 1],
          ],
          { colour: PLOT_COLOURS.muted, dash: [4, 4], width: 1 },
        ),
        whiskers(
          bins.map((bin) => ({
            from: [bin.predicted, bin.observedLower],
            to: [bin.predicted, bin.observedUpper],
            colour,
          })),
        ),
        line(
          bins.map((bin) => [bin.predicted, bin.observed]),
          { colour, width: 1 },
        ),
        marks(
          bins.map((bin) => [bin.predicted, bin.observed]),
          colour,
        ),
      ],
    },
  });
  const measures = dataTable({
    caption: 'Calibration measures',
    csv: 'calibration-measures',
    columns: ['Measure', 'Value', 'Ideal'],
    rows: [
      [
        'Slope',
        calibration ? { shown: decimal(calibration.slope, 2), value: calibration.slope } : 'not defined',
        '1',
      ],
      [
        'Intercept',
        calibration
          ? { shown: decimal(calibration.intercept, 2), value: calibration.intercept }
          : 'not defined',
        '0',
      ],
      [
        'Calibration in the large',
        calibration
          ? { shown: decimal(calibration.calibrationInTheLarge, 2), value: calibration.calibrationInTheLarge }
          : 'not defined',
        '0',
      ],
      [
        'ECE (positive class, 10 bins)',
        { shown: decimal(expectedCalibrationError), value: expectedCalibrationError },
        '0',
      ],
      ['Brier score', { shown: decimal(brierScore), value: brierScore }, '0'],
      [
        'Brier score of the prevalence',
        { shown: decimal(prevalence * (1 - prevalence)), value: prevalence * (1 - prevalence) },
        '',
      ],
    ],
  });
  const table = dataTable({
    caption: `Bins, with ${level}% Wilson intervals`,
    csv: 'calibration-bins',
    columns: ['Bin', 'Cases', 'Positive', 'Predicted', 'Observed'],
    rows: bins.map((bin) => [
      interval(bin.lower, bin.upper, 1),
      bin.count,
      bin.positives,
      { shown: decimal(bin.predicted, 2), value: bin.predicted },
      {
        shown: decimal(bin.observed, 2),
        below: interval(bin.observedLower, bin.observedUpper, 2),
        value: bin.observed,
      },
    ]),
    csvRows: {
      columns: [
        'lower',
        'upper',
        'cases',
        'positives',
        'predicted',
        'observed',
        'observedLower',
        'observedUpper',
      ],
      rows: bins.map((bin) => [
        bin.lower,
        bin.upper,
        bin.count,
        bin.positives,
        bin.predicted,
        bin.observed,
        bin.observedLower,
        bin.observedUpper,
      ]),
    },
  });
  const missing =
    notDefined.calibration !== undefined &&
    html`<p>Slope and intercept are not defined. ${notDefined.calibration}</p>`;
  return {
    ...section,
    body: html`${figure({
      plot,
      caption: `Calibration of ${main.name}: observed share of positives in ten bins of equal width, with ${level}% Wilson intervals. Dashed: perfect calibration.`,
      numbers: measures,
    })}${missing}${table}`,
  };
}
