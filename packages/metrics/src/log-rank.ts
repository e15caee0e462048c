import type { Values } from './check-input.js';
import { checkSurvival, orderByTime } from './check-survival.js';
import { chiSquareUpperTail } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export interface LogRank {
  /** chi-square */
  statistic: number;
  degreesOfFreedom: number;
  p: number;
  /** in the order in which groups first appear */
  groups: { group: string | number; cases: number; observed: number; expected: number }[];
}

/**
 * The log-rank test of equal survival in two or more groups (Mantel-Haenszel variance, no weights).
 *
 * @param groups one name a case
 * @throws MetricsError as `kaplanMeier`; `ONE_CLASS` for a single group; `NO_VARIANCE` when there is no event to compare, or
 *   when the groups never are at risk together
 * @see Mantel 1966; Peto and Peto 1972; lifelines `multivariate_logrank_test`
 * @example
 * logRank([5, 6, 2, 9], [1, 1, 1, 0], ['a', 'b', 'a', 'b']).p // 0.090
 */
export function logRank(times: Values, events: Values, groups: ArrayLike<string | number>): LogRank {
  checkSurvival(times, events);
  if (groups.length !== times.length) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `groups has ${groups.length} values and times has ${times.length}: name one group a case.`,
    });
  }
  const names = [...new Set(Array.from(groups))];
  if (names.length < 2) {
    throw new MetricsError({
      code: 'ONE_CLASS',
      message: 'All cases are in one group: the test compares two or more.',
    });
  }
  const member = Array.from(groups, (group) => names.indexOf(group));
  const atRisk = names.map((_, g) => member.filter((m) => m === g).length);
  const table = names.map((group, g) => ({ group, cases: atRisk[g]!, observed: 0, expected: 0 }));
  const covariance = names.map(() => names.map(() => 0));
  const order = orderByTime(times);
  for (let start = 0; start < order.length; ) {
    let end = start;
    let deaths = 0;
    for (; end < order.length && times[order[end]!] === times[order[start]!]; end++) {
      if (events[order[end]!] !== 1) continue;
      deaths++;
      table[member[order[end]!]!]!.observed++;
    }
    const total = order.length - start;
    const spread = total > 1 ? (deaths * (total - deaths)) / (total - 1) : 0;
    names.forEach((_, g) => {
      const share = atRisk[g]! / total;
      table[g]!.expected += deaths * share;
      names.forEach((_, h) => {
        covariance[g]![h]! += spread * share * ((g === h ? 1 : 0) - atRisk[h]! / total);
      });
    });
    for (let k = start; k < end; k++) atRisk[member[order[k]!]!]!--;
    start = end;
  }
  // The differences sum to 0, so the last group is redundant and its row would make the covariance singular.
  const differences = table.slice(0, -1).map(({ observed, expected }) => observed - expected);
  const statistic = quadraticForm(
    covariance.slice(0, -1).map((row) => row.slice(0, -1)),
    differences,
  );
  const degreesOfFreedom = names.length - 1;
  return { statistic, degreesOfFreedom, p: chiSquareUpperTail(statistic, degreesOfFreedom), groups: table };
}

/** d' C^-1 d by Gaussian elimination with pivoting (C is positive definite unless a group cannot be compared). */
function quadraticForm(matrix: number[][], vector: number[]): number {
  const size = vector.length;
  const rows = matrix.map((row, i) => [...row, vector[i]!]);
  const largest = Math.max(...matrix.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let r = column + 1; r < size; r++)
      if (Math.abs(rows[r]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = r;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const divisor = rows[column]![column]!;
    if (Math.abs(divisor) <= 1e-12 * largest) {
      throw new MetricsError({
        code: 'NO_VARIANCE',
        message:
          'A group has no event time at which it can be compared with another, so the log-rank statistic is 0/0.',
      });
    }
    for (let r = column + 1; r < size; r++) {
      const factor = rows[r]![column]! / divisor;
      for (let c = column; c <= size; c++) rows[r]![c] = rows[r]![c]! - factor * rows[column]![c]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let r = size - 1; r >= 0; r--) {
    let rest = rows[r]![size]!;
    for (let c = r + 1; c < size; c++) rest -= rows[r]![c]! * solution[c]!;
    solution[r] = rest / rows[r]![r]!;
  }
  return solution.reduce((sum, value, i) => sum + value * vector[i]!, 0);
}
