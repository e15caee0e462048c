import { type BootstrapInterval, bootstrapCi, MetricsError } from '@onco-response/metrics';
import type { EvaluationOptions } from './evaluate-model.js';

/** How far apart the groups of a column are treated at the threshold. Plain JSON. */
export interface EqualisedOdds {
  /** the larger of the two gaps below */
  gap: BootstrapInterval;
  /** the largest minus the smallest sensitivity over the groups (the gap of equal opportunity) */
  sensitivityGap: number;
  /** the largest minus the smallest false positive rate */
  falsePositiveGap: number;
  /** the groups between which `gap` lies */
  between: [string, string];
  /**
   * What the gap would be if groups made no difference: groups are exchanged between cases (or clusters) of one outcome. A
   * largest difference is never 0 by chance, so this is what to hold it against; null where `notDefined` says why.
   */
  byChance: { mean: number; p: number; permutations: number } | null;
  notDefined: Record<string, string>;
}

/**
 * The equalised-odds gap: the largest difference between groups in sensitivity or in false positive rate, whichever is larger,
 * with a bootstrap interval and the gap that chance alone would give.
 *
 * The bootstrap draws cases (or whole clusters) within each class, not within each group, so resamples in which a group has
 * no case of a class are discarded and counted.
 *
 * @param calls 1 where a case is called positive
 * @param groups the group of each case, at least two, each with cases of both classes
 * @throws MetricsError as `bootstrapCi`; `ONE_CLASS` for a group without a case of a class
 * @see Hardt, Price and Srebro 2016; fairlearn `equalized_odds_difference` (worst case)
 * @example
 * equalisedOdds([1, 1, 0, 0], [1, 0, 0, 0], ['a', 'b', 'a', 'b'], { bootstrap: { resamples: 200, seed: 1, level: 0.95 } }).gap.estimate // 1
 */
export function equalisedOdds(
  labels: ArrayLike<number>,
  calls: ArrayLike<number>,
  groups: ArrayLike<string>,
  { bootstrap, clusters }: Omit<EvaluationOptions, 'threshold'>,
): EqualisedOdds {
  const names = [...new Set(Array.from(groups))];
  const codes = Int32Array.from(groups, (group) => names.indexOf(group));
  const observed = gaps(labels, calls, codes, names.length);
  // The bootstrap hands back values, not positions: a case's position stands in for its score.
  const statistic = (_: number[], positions: number[]) =>
    gaps(
      positions.map((i) => labels[i]!),
      positions.map((i) => calls[i]!),
      positions.map((i) => codes[i]!),
      names.length,
    ).gap;
  const positions = Array.from({ length: labels.length }, (_, i) => i);
  const gap = bootstrapCi(statistic, labels, positions, {
    ...bootstrap,
    stratified: true,
    ...(clusters === undefined ? {} : { clusters }),
  });
  const exchanged = exchange(labels, calls, codes, names.length, {
    bootstrap,
    ...(clusters ? { clusters } : {}),
  });
  return {
    gap,
    sensitivityGap: observed.sensitivityGap,
    falsePositiveGap: observed.falsePositiveGap,
    between: [names[observed.highest]!, names[observed.lowest]!],
    byChance:
      typeof exchanged === 'string'
        ? null
        : {
            mean: exchanged.reduce((sum, value) => sum + value, 0) / exchanged.length,
            p:
              (1 + exchanged.filter((value) => value >= gap.estimate - 1e-12).length) /
              (1 + exchanged.length),
            permutations: exchanged.length,
          },
    notDefined: typeof exchanged === 'string' ? { byChance: exchanged } : {},
  };
}

function gaps(labels: ArrayLike<number>, calls: ArrayLike<number>, codes: ArrayLike<number>, count: number) {
  const called = [new Float64Array(count), new Float64Array(count)];
  const all = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] === 1 ? 1 : 0;
    all[label]![codes[i]!]!++;
    called[label]![codes[i]!]! += calls[i]!;
  }
  const [falsePositives, sensitivities] = [0, 1].map((label) =>
    Array.from(called[label]!, (value, g) => {
      if (all[label]![g] === 0) {
        throw new MetricsError({
          code: 'ONE_CLASS',
          message: 'A group has no case of a class, so its odds cannot be compared.',
        });
      }
      return value / all[label]![g]!;
    }),
  ) as [number[], number[]];
  const spread = (rates: number[]) => Math.max(...rates) - Math.min(...rates);
  const [sensitivityGap, falsePositiveGap] = [spread(sensitivities), spread(falsePositives)];
  const wider = sensitivityGap >= falsePositiveGap ? sensitivities : falsePositives;
  return {
    gap: Math.max(sensitivityGap, falsePositiveGap),
    sensitivityGap,
    falsePositiveGap,
    highest: wider.indexOf(Math.max(...wider)),
    lowest: wider.indexOf(Math.min(...wider)),
  };
}

/** The gap under exchanged groups, or why groups cannot be exchanged. */
function exchange(
  labels: ArrayLike<number>,
  calls: ArrayLike<number>,
  codes: Int32Array,
  count: number,
  { bootstrap, clusters }: Omit<EvaluationOptions, 'threshold'>,
): number[] | string {
  const units = new Map<string | number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const unit = clusters === undefined ? i : clusters[i]!;
    units.set(unit, [...(units.get(unit) ?? []), i]);
  }
  const strata: number[][][] = [[], []];
  for (const cases of units.values()) {
    const [first] = cases as [number];
    if (cases.some((i) => labels[i] !== labels[first] || codes[i] !== codes[first])) {
      return 'Cases of one patient differ in outcome or in group, so groups cannot be exchanged between patients.';
    }
    strata[labels[first]!]!.push(cases);
  }
  const random = generator(bootstrap.seed);
  const permuted = codes.slice();
  return Array.from({ length: bootstrap.resamples }, () => {
    for (const stratum of strata) {
      const given = stratum.map(([first]) => codes[first!]!);
      for (let i = given.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [given[i], given[j]] = [given[j]!, given[i]!];
      }
      stratum.forEach((cases, u) => {
        for (const i of cases) permuted[i] = given[u]!;
      });
    }
    return gaps(labels, calls, permuted, count).gap;
  });
}

/** mulberry32: small, seeded, and enough for a few thousand permutations. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
