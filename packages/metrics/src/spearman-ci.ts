import { checkLevel, type Values } from './check-input.js';
import { normalInterval } from './distributions.js';
import { MetricsError } from './metrics-error.js';
import { spearman } from './spearman.js';

export interface SpearmanInterval {
  rho: number;
  lower: number;
  upper: number;
}

/**
 * Interval of Spearman's rho on Fisher's scale: tanh(atanh(rho) +- z se). `bonettWright` has se^2 = (1 + rho^2 / 2) / (n - 3),
 * which covers well up to rho = 0.9; `fisher` has 1 / (n - 3), Pearson's, a little short for ranks. At rho = 1 or -1 the scale
 * is infinite and both limits are rho.
 *
 * @throws MetricsError as `spearman`; `TOO_FEW` below four cases; `INVALID_OPTION`
 * @see Bonett and Wright 2000, Psychometrika 65:23; pingouin `corr(method='spearman')` is `fisher`
 * @example
 * spearmanCi([1, 2, 3, 4, 5], [1, 3, 2, 4, 5]).lower // -0.17
 */
export function spearmanCi(
  x: Values,
  y: Values,
  { level = 0.95, method = 'bonettWright' }: { level?: number; method?: 'bonettWright' | 'fisher' } = {},
): SpearmanInterval {
  checkLevel(level);
  if (method !== 'bonettWright' && method !== 'fisher') {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `method is ${String(method)}: give 'bonettWright' or 'fisher'.`,
    });
  }
  const { rho } = spearman(x, y);
  if (x.length < 4) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: `An interval of a rank correlation needs four cases; there are ${x.length}.`,
    });
  }
  if (Math.abs(rho) === 1) return { rho, lower: rho, upper: rho };
  const variance = (method === 'fisher' ? 1 : 1 + (rho * rho) / 2) / (x.length - 3);
  const half = normalInterval(level) * Math.sqrt(variance);
  const centre = Math.atanh(rho);
  return { rho, lower: Math.tanh(centre - half), upper: Math.tanh(centre + half) };
}
