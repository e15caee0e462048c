import type { Values } from './check-input.js';
import { orderByTime } from './check-survival.js';
import { MetricsError } from './metrics-error.js';

/**
 * The weighted share of comparable pairs that are concordant, equal risks counting half; `weightOf` an event is the weight of
 * all its pairs, 0 to leave it out. The input has been checked. O(n log n).
 */
export function weightedConcordance(
  times: Values,
  events: Values,
  risks: Values,
  weightOf: (index: number) => number,
): number {
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
      if (events[index] === 0 || outlived.total === 0) continue;
      const weight = weightOf(index);
      const rank = rankOf.get(risks[index]!)!;
      const lower = outlived.countUpTo(rank - 1);
      const notHigher = outlived.countUpTo(rank);
      pairs += weight * outlived.total;
      concordant += (weight * (lower + notHigher)) / 2;
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
