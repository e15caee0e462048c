import { checkFinite, checkSameLength, type Values } from './check-input.js';
import { checkSurvival, orderByTime } from './check-survival.js';
import { MetricsError } from './metrics-error.js';

/**
 * Harrell's C: of all pairs whose order of events is known, the share in which the earlier event has the higher risk; equal
 * risks count half. A pair is known when the earlier time is an event (a case censored at that same time outlived it); two
 * events at one time are no pair. O(n log n).
 *
 * @param risks higher means an earlier event (lifelines' `concordance_index` takes the opposite sign)
 * @throws MetricsError as `kaplanMeier`; `NO_VARIANCE` when no pair is comparable
 * @see Harrell et al. 1982, JAMA 247:2543
 * @example
 * concordanceIndex([2, 4, 6], [1, 1, 0], [0.9, 0.3, 0.5]) // 0.667
 */
export function concordanceIndex(times: Values, events: Values, risks: Values): number {
  checkSurvival(times, events);
  checkSameLength(times, risks, 'times', 'risks');
  checkFinite(risks, 'risks');
  const distinct = [...new Set(Array.from(risks))].sort((a, b) => a - b);
  const rankOf = new Map(distinct.map((risk, i) => [risk, i + 1]));
  const outlived = new CountTree(distinct.length);
  const order = orderByTime(times);
  let pairs = 0;
  let concordant = 0;
  // From the latest time back: the tree holds the risks of everybody who outlived the cases of this time.
  for (let end = order.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && times[order[start - 1]!] === times[order[end - 1]!]) start--;
    const now = order.slice(start, end);
    for (const index of now) if (events[index] === 0) outlived.add(rankOf.get(risks[index]!)!);
    for (const index of now) {
      if (events[index] === 0) continue;
      const rank = rankOf.get(risks[index]!)!;
      const lower = outlived.countUpTo(rank - 1);
      const notHigher = outlived.countUpTo(rank);
      pairs += outlived.total;
      concordant += (lower + notHigher) / 2;
    }
    for (const index of now) if (events[index] === 1) outlived.add(rankOf.get(risks[index]!)!);
    end = start;
  }
  if (pairs === 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message:
        'No pair of cases is comparable: there is no event that another case is known to have outlived.',
    });
  }
  return concordant / pairs;
}

/** Counts of ranks with prefix sums in O(log n) (Fenwick 1994). */
class CountTree {
  total = 0;
  private readonly sums: Uint32Array;

  constructor(size: number) {
    this.sums = new Uint32Array(size + 1);
  }

  add(rank: number): void {
    this.total++;
    for (let i = rank; i < this.sums.length; i += i & -i) this.sums[i] = this.sums[i]! + 1;
  }

  countUpTo(rank: number): number {
    let sum = 0;
    for (let i = rank; i > 0; i -= i & -i) sum += this.sums[i]!;
    return sum;
  }
}
