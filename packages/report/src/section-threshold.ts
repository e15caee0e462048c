import { dataTable } from './data-table.js';
import type { CountedProportion } from './evaluate-model.js';
import { decimal, interval, levelPercent, withInterval } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

export function thresholdSection({ main, threshold, bootstrap, positiveClass }: MeasuredReport): Section {
  const { evaluation } = main;
  const { tp, fp, tn, fn } = evaluation.confusion;
  const level = levelPercent(bootstrap.level);
  const proportions: [name: string, value: CountedProportion | null][] = [
    ['Sensitivity', evaluation.sensitivity],
    ['Specificity', evaluation.specificity],
    ['Positive predictive value', evaluation.positivePredictiveValue],
    ['Negative predictive value', evaluation.negativePredictiveValue],
    ['Accuracy', evaluation.accuracy],
  ];
  return {
    id: 'threshold',
    title: 'At the threshold',
    body: html`<p>A case counts as positive when its probability is at least ${decimal(evaluation.threshold, 3)}. The threshold was chosen on ${threshold.chosenOn} cases, not on the test cases: ${threshold.rule}.${threshold.target !== undefined && ` It is meant to reach: ${threshold.target}.`}</p>
<div class="beside matrix"><div class="table" role="region" aria-label="Confusion matrix" tabindex="0"><table class="confusion">
<caption>Confusion matrix of ${main.name}; positive is ${positiveClass}</caption>
<thead><tr><td></td><th scope="col">Called positive</th><th scope="col">Called negative</th><th scope="col">All</th></tr></thead>
<tbody>
<tr><th scope="row">Positive</th><td class="right-call">${tp}</td><td>${fn}</td><td>${tp + fn}</td></tr>
<tr><th scope="row">Negative</th><td>${fp}</td><td class="right-call">${tn}</td><td>${fp + tn}</td></tr>
<tr><th scope="row">All</th><td>${tp + fp}</td><td>${fn + tn}</td><td>${tp + fp + tn + fn}</td></tr>
</tbody></table></div>
<div class="numbers">${dataTable({
      caption: `Proportions, with ${level}% Wilson intervals`,
      csv: 'threshold',
      columns: ['Measure', 'Cases', 'Value', `${level}% CI`],
      rows: proportions.map(([name, value]) =>
        value === null
          ? [name, 'no cases', '', '']
          : [
              name,
              `${value.successes} / ${value.total}`,
              decimal(value.estimate),
              interval(value.lower, value.upper),
            ],
      ),
      csvRows: {
        columns: ['measure', 'successes', 'total', 'estimate', 'lower', 'upper'],
        rows: proportions.map(([name, value]) =>
          value === null
            ? [name, 0, 0, '', '', '']
            : [name, value.successes, value.total, value.estimate, value.lower, value.upper],
        ),
      },
    })}</div></div>
<p>F1 of the positive class is <span class="whole">${withInterval(evaluation.f1Score)}</span> and balanced accuracy <span class="whole">${withInterval(evaluation.balancedAccuracy)}</span>, with bootstrap intervals.</p>`,
  };
}
