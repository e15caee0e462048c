import { dataTable } from './data-table.js';
import { percent } from './format-number.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

export function cohortSection({ cohort, positiveClass }: MeasuredReport): Section {
  const share = (positives: number, cases: number) =>
    cases === 0 ? 'no cases' : `${positives} positive (${percent(positives / cases)})`;
  const patientsInParts = cohort.perSplit.reduce((sum, part) => sum + part.patients, 0);
  const patientsApart =
    patientsInParts === cohort.patients
      ? 'The patients of the parts add up to all patients: none is in two parts.'
      : `The parts have ${patientsInParts} patients together and the cohort has ${cohort.patients}: either some patients are in several parts, or some are in none.`;
  const box = (name: string, part: { cases: number; patients: number; positives: number }) =>
    html`<strong>${name}</strong><span>${part.cases} cases</span><span>${part.patients} patients</span><span>${share(part.positives, part.cases)}</span>`;
  return {
    id: 'cohort',
    title: 'Cohort and split',
    body: html`<p>Positive means: ${positiveClass}. ${patientsApart}</p>
<div class="flow" role="img" aria-label="Flow of cases: ${cohort.cases} cases of ${cohort.patients} patients are split into ${cohort.perSplit.map((part) => `${part.split} (${part.cases})`).join(', ')}.">
<div class="flow-all">${box('All', cohort)}</div>
<div class="flow-parts" style="grid-template-columns:repeat(${cohort.perSplit.length},minmax(0,1fr))">${cohort.perSplit.map((part) => html`<div>${box(part.split, part)}</div>`)}</div>
</div>
${dataTable({
  caption: 'Cases, patients and positives in each part',
  csv: 'cohort',
  columns: ['Part', 'Cases', 'Patients', 'Positives', 'Prevalence'],
  rows: [...cohort.perSplit, { split: 'all', ...cohort }].map(({ split, cases, patients, positives }) => [
    split,
    cases,
    patients,
    positives,
    cases === 0 ? '' : { shown: percent(positives / cases, 1), value: positives / cases },
  ]),
})}`,
  };
}
