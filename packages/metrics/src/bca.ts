import { normalLowerTail, normalQuantile } from './distributions.js';
import { MetricsError } from './metrics-error.js';
import { quantile } from './quantile.js';

/**
 * The statistic without each unit in turn, [strata][units].
 *
 * @param evaluate of how often each case counts; undefined when it has no value there
 */
export function jackknife(
  strata: number[][][],
  cases: number,
  evaluate: (counts: Uint32Array) => number | undefined,
): number[][] {
  const counts = new Uint32Array(cases).fill(1);
  return strata.map((units) =>
    units.map((unit) => {
      for (const index of unit) counts[index] = 0;
      const value = evaluate(counts);
      for (const index of unit) counts[index] = 1;
      if (value === undefined) {
        throw new MetricsError({
          code: 'TOO_FEW',
          message:
            'BCa leaves out one case (or cluster) at a time, and without one of them the statistic has no value. Use method percentile, or more cases.',
        });
      }
      return value;
    }),
  );
}

/**
 * The bias-corrected and accelerated limits of a bootstrap distribution: its quantiles at
 * Phi(z0 + (z0 + z) / (1 - a (z0 + z))), z0 from the share of resamples below the estimate (equal ones count half) and
 * a = sum_strata sum(U^3)/n^3 / (6 (sum_strata sum(U^2)/n^2)^1.5), U = (n - 1)(mean - leave-one-out value); a = 0 where no
 * leave-one-out value differs.
 *
 * @see Efron 1987, JASA 82:171; Efron and Tibshirani 1993, equations 14.9 to 14.15; scipy `bootstrap(method='BCa')`
 */
export function bcaLimits(
  estimate: number,
  sorted: Float64Array,
  leftOut: number[][],
  level: number,
): [number, number] {
  let below = 0;
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  const share = below / sorted.length;
  if (share === 0 || share === 1) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `All ${sorted.length} resamples lie on one side of the estimate, so BCa's bias correction is infinite. Use more resamples, or method percentile.`,
    });
  }
  let squares = 0;
  let cubes = 0;
  for (const values of leftOut) {
    const size = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / size;
    for (const value of values) {
      const influence = ((size - 1) * (mean - value)) / size;
      squares += influence ** 2;
      cubes += influence ** 3;
    }
  }
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  const bias = normalQuantile(share);
  const limit = (probability: number) => {
    const shifted = bias + normalQuantile(probability);
    return quantile(sorted, normalLowerTail(bias + shifted / (1 - acceleration * shifted)));
  };
  return [limit((1 - level) / 2), limit((1 + level) / 2)];
}
