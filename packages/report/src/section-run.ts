import { dataTable } from './data-table.js';
import { levelPercent } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

export function runSection({ run, notes, bootstrap, main }: MeasuredReport): Section {
  const { discarded } = main.evaluation.rocAuc;
  const drawn = main.evaluation.bootstrap.clustered ? 'whole patients' : 'cases';
  return {
    id: 'run',
    title: 'What was run',
    body: html`<div class="provenance">${dataTable({
      caption: 'Versions, seeds, hashes and times',
      csv: 'run',
      columns: ['Item', 'Value'],
      rows: Object.entries(run),
    })}</div>
<h3>How the numbers were made</h3>
<ul>
<li>Bootstrap: ${bootstrap.resamples} resamples of ${drawn} within each class, seed ${bootstrap.seed}, ${levelPercent(bootstrap.level)}% percentile limits; ${discarded} resamples gave no value.</li>
<li>Score at or above the threshold counts as positive. Proportions have Wilson intervals. PR-AUC is average precision.</li>
<li>Calibration: ten bins of equal width; slope and intercept by logistic regression on the log-odds, probabilities moved into [0.000001, 0.999999] first.</li>
${notes.map((note) => html`<li>${note}</li>`)}
</ul>`,
  };
}

export function warningsSection({ warnings }: MeasuredReport): Section {
  return {
    id: 'warnings',
    title: 'Warnings',
    body:
      warnings.length === 0
        ? html`<p>None.</p>`
        : html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`,
  };
}
