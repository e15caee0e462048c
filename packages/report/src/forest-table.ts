import { csvLink } from './data-table.js';
import { decimal, interval } from './format-number.js';
import { html, type Markup } from './markup.js';

export interface ForestRow {
  name: string;
  /** a second line below the name, such as the number of cases */
  below?: string;
  /** undefined when it was not measured; `note` then says why */
  value?: { estimate: number; lower?: number; upper?: number };
  note?: string;
  /** further cells, one for each of `columns` */
  cells?: string[];
  /** drawn as the one the others are compared with */
  lead?: boolean;
}

export interface ForestTable {
  caption: string;
  /** heading of the first column, and of the plotted value */
  nameColumn: string;
  valueColumn: string;
  /** headings of further columns */
  columns?: string[];
  rows: ForestRow[];
  /** a dashed line: chance, no difference, the whole cohort */
  reference?: number;
  /** keeps the scale from being narrower than this */
  atLeast?: readonly [number, number];
  /** the scale never leaves these */
  limits?: readonly [number, number];
  digits?: number;
  /** draws a bar from the reference to the estimate, in place of a mark alone */
  bars?: boolean;
  csv: string;
  csvColumns: string[];
  csvRows: (string | number)[][];
}

/**
 * A forest plot that is a table: one row a value, its estimate and limits drawn in the row and written beside it. It wraps, reflows
 * to a phone, prints, and is read out as a table.
 */
export function forestTable({
  caption,
  nameColumn,
  valueColumn,
  columns = [],
  rows,
  reference,
  atLeast,
  limits = [-Infinity, Infinity],
  digits = 2,
  bars = false,
  csv,
  csvColumns,
  csvRows,
}: ForestTable): Markup {
  const { min, max, ticks } = scaleOf(rows, reference, atLeast, limits);
  const at = (value: number) => (100 * (Math.min(Math.max(value, min), max) - min)) / (max - min);
  const left = (value: number) => `left:${at(value).toFixed(2)}%`;
  const line =
    reference !== undefined && html`<span class="forest-reference" style="${left(reference)}"></span>`;
  const bar = (estimate: number) => {
    const ends = [at(reference ?? min), at(estimate)].sort((a, b) => a - b) as [number, number];
    return html`<span class="forest-bar" style="left:${ends[0].toFixed(2)}%;right:${(100 - ends[1]).toFixed(2)}%"></span>`;
  };
  const drawn = ({ value, lead }: ForestRow) =>
    value === undefined
      ? html`${line}`
      : html`${bars && bar(value.estimate)}${line}${
          value.lower !== undefined &&
          value.upper !== undefined &&
          html`<span class="forest-whisker" style="${left(value.lower)};right:${(100 - at(value.upper)).toFixed(2)}%"></span>`
        }<span class="${lead ? 'forest-mark forest-lead' : 'forest-mark'}" style="${left(value.estimate)}"></span>`;
  const shown = ({ value, note }: ForestRow) =>
    value === undefined
      ? html`<span class="forest-note">${note ?? 'not measured'}</span>`
      : html`${decimal(value.estimate, digits)}${
          value.lower !== undefined &&
          value.upper !== undefined &&
          html`<span class="below">${interval(value.lower, value.upper, digits)}</span>`
        }${note !== undefined && html`<span class="forest-note">${note}</span>`}`;
  const edge = (i: number) => (i === 0 ? 'first' : i === ticks.length - 1 ? 'last' : 'inner');
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0"><table class="forest">
<caption>${caption}</caption>
<thead><tr><th scope="col">${nameColumn}</th><td class="forest-plot" aria-hidden="true"></td><th scope="col">${valueColumn}</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${row.name}${row.below !== undefined && html`<span class="below">${row.below}</span>`}</th><td class="forest-plot" aria-hidden="true">${drawn(row)}</td><td>${shown(row)}</td>${columns.map((_, i) => html`<td>${row.cells?.[i] ?? ''}</td>`)}</tr>`,
  )}</tbody>
<tfoot aria-hidden="true"><tr><td></td><td class="forest-plot forest-axis">${ticks.map((tick, i) => html`<span class="${edge(i)}" style="${left(tick)}">${decimal(tick, tickDigits(ticks))}</span>`)}</td><td></td>${columns.map(() => html`<td></td>`)}</tr></tfoot>
</table></div>${csvLink(csv, csvColumns, csvRows)}`;
}

const tickDigits = (ticks: number[]) => {
  const step = ticks[1]! - ticks[0]!;
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
};

/** A scale of two to five ticks at round numbers that holds all rows and the reference. */
function scaleOf(
  rows: ForestRow[],
  reference: number | undefined,
  atLeast: readonly [number, number] | undefined,
  [lowest, highest]: readonly [number, number],
): { min: number; max: number; ticks: number[] } {
  const values = rows.flatMap(({ value }) =>
    value === undefined ? [] : [value.estimate, value.lower ?? value.estimate, value.upper ?? value.estimate],
  );
  if (reference !== undefined) values.push(reference);
  if (atLeast !== undefined) values.push(...atLeast);
  const low = values.length === 0 ? 0 : Math.min(...values);
  const high = values.length === 0 ? 1 : Math.max(...values);
  const span = high > low ? high - low : Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 4) ?? 10 * power;
  const min = Math.max(lowest, Math.floor(low / step + 1e-9) * step);
  const max = Math.min(highest, Math.max(min + step, Math.ceil(high / step - 1e-9) * step));
  const count = Math.round((max - min) / step);
  return { min, max, ticks: Array.from({ length: count + 1 }, (_, i) => min + i * step) };
}
