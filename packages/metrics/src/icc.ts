import { checkFinite, checkLevel, type Values } from './check-input.js';
import { fUpperQuantile, fUpperTail } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export type IccForm = '1,1' | '2,1' | '3,1' | '1,k' | '2,k' | '3,k';

export interface Icc {
  icc: number;
  lower: number;
  upper: number;
  /** the test of icc = 0 */
  f: number;
  degreesOfFreedom: [number, number];
  p: number;
}

/**
 * Intraclass correlation in the six forms of Shrout and Fleiss. `1`: each subject has raters of its own (one-way). `2`: the same
 * raters, drawn from many, absolute agreement: the one for inter-reader and test-retest studies. `3`: these raters only,
 * consistency (a constant difference between raters does not count). `,1` is the reliability of one rating, `,k` of the mean of
 * the k given. With mean squares B (subjects), W (within), J (raters), E (rest), n subjects and k raters:
 * (1,1) (B-W)/(B+(k-1)W); (2,1) (B-E)/(B+(k-1)E+k(J-E)/n); (3,1) (B-E)/(B+(k-1)E); (1,k) (B-W)/B; (2,k) (B-E)/(B+(J-E)/n);
 * (3,k) (B-E)/B. Estimates below 0 are given as they are. A rating's ties play no part.
 *
 * @param ratings one row a subject, one column a rater (or a repetition); none may be missing
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INVALID_OPTION`; `TOO_FEW` below two subjects or two raters;
 *   `NO_VARIANCE` when all subjects have the same mean, or when raters agree without any residue (the icc is then 1, and its
 *   interval and F have no value)
 * @see Shrout and Fleiss 1979, Psychol Bull 86:420; McGraw and Wong 1996; pingouin `intraclass_corr`
 * @example
 * icc([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], { form: '2,1' }).icc // 0.290
 */
export function icc(
  ratings: ArrayLike<Values>,
  { form = '2,1', level = 0.95 }: { form?: IccForm; level?: number } = {},
): Icc {
  checkLevel(level);
  if (!['1,1', '2,1', '3,1', '1,k', '2,k', '3,k'].includes(form)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `form is ${String(form)}: give '1,1', '2,1', '3,1', '1,k', '2,k' or '3,k'.`,
    });
  }
  const { n, k, between, within, raters, rest } = meanSquares(ratings);
  const oneWay = form.startsWith('1');
  const error = oneWay ? within : rest;
  if (between <= 0 || error <= 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message:
        between <= 0
          ? 'All subjects have the same mean rating, so reliability is 0/0 or without an interval.'
          : 'The ratings leave no residue at all: the ICC is 1, and its F and interval have no value.',
    });
  }
  const [df1, df2] = [n - 1, oneWay ? n * (k - 1) : (n - 1) * (k - 1)];
  const f = between / error;
  const single = oneWay || form.startsWith('3') ? shrunk(f, k) : twoWay(n, k, between, raters, rest);
  const tail = (1 - level) / 2;
  let [lower, upper] = [0, 0];
  if (form.startsWith('2')) {
    [lower, upper] = twoWayLimits(single, tail, { n, k, between, raters, rest });
  } else {
    lower = shrunk(f / fUpperQuantile(tail, df1, df2), k);
    upper = shrunk(f * fUpperQuantile(tail, df2, df1), k);
  }
  const stepUp = (value: number) => (form.endsWith('k') ? (k * value) / (1 + (k - 1) * value) : value);
  return {
    icc: stepUp(single),
    lower: stepUp(lower),
    upper: stepUp(upper),
    f,
    degreesOfFreedom: [df1, df2],
    p: fUpperTail(f, df1, df2),
  };
}

/** (F - 1) / (F + k - 1): forms 1 and 3 of an F, and of its limits. */
function shrunk(f: number, k: number): number {
  return (f - 1) / (f + k - 1);
}

function twoWay(n: number, k: number, between: number, raters: number, rest: number): number {
  return (between - rest) / (between + (k - 1) * rest + (k * (raters - rest)) / n);
}

interface MeanSquares {
  n: number;
  k: number;
  between: number;
  raters: number;
  rest: number;
}

/** Shrout and Fleiss p. 424, with Satterthwaite's degrees of freedom. */
function twoWayLimits(
  rho: number,
  tail: number,
  { n, k, between, raters, rest }: MeanSquares,
): [number, number] {
  const ratio = raters / rest;
  const a = k * rho * ratio;
  const b = n * (1 + (k - 1) * rho) - k * rho;
  const v = ((n - 1) * (k - 1) * (a + b) ** 2) / ((n - 1) * a ** 2 + b ** 2);
  const above = fUpperQuantile(tail, n - 1, v);
  const below = fUpperQuantile(tail, v, n - 1);
  const others = k * raters + (k * n - k - n) * rest;
  return [
    (n * (between - above * rest)) / (above * others + n * between),
    (n * (below * between - rest)) / (others + n * below * between),
  ];
}

function meanSquares(ratings: ArrayLike<Values>): MeanSquares & { within: number } {
  const n = ratings?.length ?? 0;
  if (n === 0) throw new MetricsError({ code: 'EMPTY', message: 'There is no rating.' });
  const k = ratings[0]!.length;
  const rows = Array.from(ratings, (row, i) => {
    if (row?.length !== k) {
      throw new MetricsError({
        code: 'LENGTH_MISMATCH',
        message: `ratings[${i}] has ${row?.length} values, the first row ${k}: every subject needs every rating.`,
      });
    }
    checkFinite(row, `ratings[${i}]`);
    return Array.from(row);
  });
  if (n < 2 || k < 2) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `Reliability needs two subjects and two raters; there are ${n} and ${k}.`,
    });
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
  // Shifted by one rating, so that equal ratings leave exactly nothing.
  const origin = rows[0]![0]!;
  const shifted = rows.map((row) => row.map((value) => value - origin));
  const subjects = shifted.map(mean);
  const columns = Array.from({ length: k }, (_, j) => mean(shifted.map((row) => row[j]!)));
  const grand = mean(subjects);
  const squares = (values: number[], centre: number) =>
    values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  let within = 0;
  let rest = 0;
  let total = 0;
  shifted.forEach((row, i) => {
    row.forEach((value, j) => {
      within += (value - subjects[i]!) ** 2;
      rest += (value - subjects[i]! - columns[j]! + grand) ** 2;
      total += (value - grand) ** 2;
    });
  });
  // What rounding leaves of nothing is nothing.
  const settle = (sum: number) => (sum <= 1e-24 * total * n * k ? 0 : sum);
  return {
    n,
    k,
    between: settle(k * squares(subjects, grand)) / (n - 1),
    within: settle(within) / (n * (k - 1)),
    raters: settle(n * squares(columns, grand)) / (k - 1),
    rest: settle(rest) / ((n - 1) * (k - 1)),
  };
}
