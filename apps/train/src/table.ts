export interface Interval {
  estimate: number;
  lower: number;
  upper: number;
}

/** A Markdown table; the first row is its head. */
export function markdownTable([head = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** CSV with quotes where a cell needs them. */
export function csvTable(rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) => {
    const text = String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}

export const showInterval = ({ estimate, lower, upper }: Interval) =>
  `${estimate.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`;

export const showP = (p: number) => (p < 0.001 ? '<0.001' : p.toFixed(3));
