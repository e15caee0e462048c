import { checklistDocument } from './checklist-document.js';
import { type ModelCardOptions, modelCardDocument, modelMetadata } from './model-card.js';
import { reportPage } from './render-report.js';
import type { ReportInput } from './report-input.js';
import { measure } from './report-model.js';
import { documentHtml, documentMarkdown } from './text-document.js';

/**
 * Every file of a report by its path: `report.html`, `checklists.html` and `.md`, `model-card.html` and `.md`, `metadata.json`,
 * and `csv/*.csv` with the numbers behind every plot and table of the report. Measures once, so the files agree.
 *
 * @throws ReportError, MetricsError as `renderReport`
 * @example
 * for (const [path, text] of Object.entries(reportFiles(input))) await writeFile(join(folder, path), text)
 */
export function reportFiles(input: ReportInput, options: ModelCardOptions = {}): Record<string, string> {
  const report = measure(input);
  const page = reportPage(report);
  const checklists = checklistDocument(report);
  const card = modelCardDocument(report, options);
  return {
    'report.html': page.text,
    'checklists.html': documentHtml(checklists).text,
    'checklists.md': documentMarkdown(checklists),
    'model-card.html': documentHtml(card).text,
    'model-card.md': documentMarkdown(card),
    'metadata.json': `${JSON.stringify(modelMetadata(report, options), null, 2)}\n`,
    ...Object.fromEntries(page.files.map(({ name, text }) => [`csv/${name}`, text])),
  };
}

/**
 * The CSV files of a report by their names: the same that the page's download links hold.
 *
 * @throws ReportError, MetricsError as `renderReport`
 * @example
 * reportCsv(input)['subgroup-1-her2.csv']
 */
export function reportCsv(input: ReportInput): Record<string, string> {
  return Object.fromEntries(reportPage(measure(input)).files.map(({ name, text }) => [name, text]));
}
