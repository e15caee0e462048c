const MINUS = '\u2212';
const DASH = '\u2013';

/** A fixed number of decimals with a real minus sign; never "-0.00". */
export function decimal(value: number, digits = 3): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', MINUS);
}

/** "0.734 (0.602–0.846)"; limits below 0 are written "−0.10 to 0.20", where a dash would be misread. */
export function withInterval(
  { estimate, lower, upper }: { estimate: number; lower: number; upper: number },
  digits = 3,
): string {
  return `${decimal(estimate, digits)} (${interval(lower, upper, digits)})`;
}

export function interval(lower: number, upper: number, digits = 3): string {
  const joint = lower < 0 || upper < 0 ? ' to ' : DASH;
  return `${decimal(lower, digits)}${joint}${decimal(upper, digits)}`;
}

/** "p = 0.012", "p < 0.001" */
export function pValue(p: number): string {
  return p < 0.001 ? 'p\u00a0<\u00a00.001' : `p\u00a0=\u00a0${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** 95 of 0.95 */
export function levelPercent(level: number): string {
  return String(Number((100 * level).toFixed(2)));
}
