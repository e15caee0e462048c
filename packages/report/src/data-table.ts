import { html, type Markup, trusted } from './markup.js';

/** A cell is printed as `shown` and saved as `value`: a few decimals on the page, all of them in the file. */
export type Cell =
  | string
  | number
  | { shown: string; value: string | number /** a second line */; below?: string };

export interface DataTable {
  caption: string;
  columns: string[];
  /** the first cell of a row is its header */
  rows: Cell[][];
  /** file name of the download, without ending; no download unless given */
  csv?: string;
  /** rows of the download, when it holds more than the page shows */
  csvRows?: { columns: string[]; rows: (string | number)[][] };
}

/** A captioned table with scoped headers, in a box that scrolls on narrow screens, with its numbers as a CSV download. */
export function dataTable({ caption, columns, rows, csv, csvRows }: DataTable): Markup {
  const file = csvRows ?? { columns, rows: rows.map((row) => row.map(savedOf)) };
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row"${isShort(cell) && trusted(' class="short"')}>${shownOf(cell)}</th>` : html`<td>${shownOf(cell)}</td>`))}</tr>`,
  )}</tbody>
</table></div>${csv !== undefined && csvLink(csv, file.columns, file.rows)}`;
}

/** "0.1\u20130.2" stays on one line, a model's name may wrap. */
const isShort = (cell: Cell) => String(typeof cell === 'object' ? cell.shown : cell).length <= 10;
const savedOf = (cell: Cell) => (typeof cell === 'object' ? cell.value : cell);
const shownOf = (cell: Cell) =>
  typeof cell === 'object'
    ? html`${cell.shown}${cell.below !== undefined && html`<span class="below">${cell.below}</span>`}`
    : cell;

export function csvLink(name: string, columns: string[], rows: (string | number)[][]): Markup {
  const text = toCsv(columns, rows);
  const { text: link } =
    html`<p class="download"><a download="${name}.csv" href="data:text/csv;charset=utf-8,${encodeURIComponent(text)}">Download ${name}.csv</a></p>`;
  return trusted(link, [{ name: `${name}.csv`, text }]);
}

/** RFC 4180. Text that a spreadsheet would run as a formula gets a leading apostrophe. */
export function toCsv(columns: string[], rows: (string | number)[][]): string {
  const field = (value: string | number) => {
    if (typeof value === 'number') return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}
