import { ReportError } from './report-error.js';
import type { SubgroupColumn } from './report-subgroups.js';

/** The group of cases whose value is not known. */
const UNKNOWN_GROUP = 'not known';

/** Numbers with more distinct values than this are ranges, not groups. */
const DISTINCT_NUMBERS = 6;

/** The group of each case and the groups in order; see `SubgroupColumn`. */
export function groupValues({ name, values, cuts, order }: SubgroupColumn): {
  groups: string[];
  ofCase: string[];
} {
  const known = values.filter((value) => value !== null && value !== '');
  const numbers = known.filter((value) => typeof value === 'number');
  if (numbers.some((value) => !Number.isFinite(value))) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `Column "${name}" holds a number that is not finite: give null where a value is not known.`,
    });
  }
  const numeric = numbers.length > 0 && numbers.length === known.length;
  const ranges =
    numeric && (cuts !== undefined || new Set(numbers).size > DISTINCT_NUMBERS)
      ? rangesOf(name, cuts ?? tertiles(numbers))
      : undefined;
  const ofCase = values.map((value) => {
    if (value === null || value === '') return UNKNOWN_GROUP;
    return ranges && typeof value === 'number' ? ranges.of(value) : String(value);
  });
  const found = [...new Set(ofCase)];
  const sorted = ranges
    ? ranges.names.filter((range) => found.includes(range))
    : found
        .filter((group) => group !== UNKNOWN_GROUP)
        .sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const first = (order ?? []).filter((group) => found.includes(group));
  const rest = sorted.filter((group) => !first.includes(group));
  const unknown = found.includes(UNKNOWN_GROUP) && !first.includes(UNKNOWN_GROUP) ? [UNKNOWN_GROUP] : [];
  return { groups: [...first, ...rest, ...unknown], ofCase };
}

function tertiles(numbers: number[]): number[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return [...new Set([at(1 / 3), at(2 / 3)])];
}

function rangesOf(name: string, cuts: readonly number[]) {
  if (cuts.length === 0 || cuts.some((cut, i) => !Number.isFinite(cut) || (i > 0 && cut <= cuts[i - 1]!))) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `The cuts of column "${name}" are [${cuts.join(', ')}]: give at least one, each larger than the one before.`,
    });
  }
  const shown = (value: number) => String(Number(value.toPrecision(6))).replace('-', '\u2212');
  const names = [
    `< ${shown(cuts[0]!)}`,
    ...cuts.slice(1).map((cut, i) => `${shown(cuts[i]!)} to < ${shown(cut)}`),
    `\u2265 ${shown(cuts.at(-1)!)}`,
  ];
  return { names, of: (value: number) => names[cuts.filter((cut) => value >= cut).length]! };
}
