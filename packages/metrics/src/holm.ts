import { checkFinite, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';

/**
 * Holm's step-down adjustment of several p values: each result below alpha may be called significant with a family-wise error
 * of alpha, whatever the dependence. The k-th smallest (from 0) of m becomes the running maximum of (m - k) p, at most 1;
 * equal p values get equal results. In the order given.
 *
 * @throws MetricsError `EMPTY`, `NOT_FINITE`, `OUT_OF_RANGE` for a p outside [0, 1]
 * @see Holm 1979, Scand J Stat 6:65; statsmodels `multipletests(method='holm')`
 * @example
 * holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(pValues: Values): number[] {
  if (!(pValues?.length > 0)) throw new MetricsError({ code: 'EMPTY', message: 'There is no p value.' });
  checkFinite(pValues, 'pValues');
  const order = Array.from(pValues, (p, i) => {
    if (p < 0 || p > 1) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `pValues[${i}] is ${p}: a p value is in [0, 1].`,
      });
    }
    return i;
  }).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(order.length);
  let highest = 0;
  order.forEach((index, k) => {
    highest = Math.max(highest, Math.min(1, (order.length - k) * pValues[index]!));
    adjusted[index] = highest;
  });
  return adjusted;
}
