import { checklistBlocks, checklistsOf, metricsBlocks } from './checklist-document.js';
import { dataTable } from './data-table.js';
import { html } from './markup.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';
import { blocksHtml } from './text-document.js';

/** How far the reporting checklists are filled, with the lists folded away. */
export function checklistsSection(report: MeasuredReport): Section {
  const { tripodAi, claim, metrics } = checklistsOf(report);
  const answered = (answer: string) => metrics.items.filter((item) => item.answer === answer).length;
  return {
    id: 'checklists',
    title: 'Reporting checklists',
    body: html`<p>Filled from the run where the run knows the answer. Blanks are for the authors: nothing is guessed. The METRICS score counts a blank as "no": <strong class="whole">${metrics.score.toFixed(1)}%</strong> (${metrics.band}) as it stands, at most ${metrics.highest.toFixed(1)}%.</p>
${dataTable({
  caption: 'How far the checklists are filled',
  csv: 'checklists',
  columns: ['Checklist', 'Items', 'Filled', 'Partly', 'Blank'],
  rows: [
    ...[tripodAi, claim].map((list) => [list.name, list.items.length, list.filled, list.partly, list.blank]),
    [
      'METRICS',
      metrics.items.length,
      answered('yes') + answered('no') + answered('not applicable'),
      '',
      answered('blank'),
    ],
  ],
})}
<details><summary>TRIPOD+AI, item by item</summary>${blocksHtml(checklistBlocks(tripodAi, 'tripod-ai'))}</details>
<details><summary>CLAIM, item by item</summary>${blocksHtml(checklistBlocks(claim, 'claim'))}</details>
<details><summary>METRICS, item by item</summary>${blocksHtml(metricsBlocks(metrics))}</details>`,
  };
}
