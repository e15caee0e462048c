import { checkCount, checkLevel } from './check-input.js';
import { normalInterval } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export interface ProportionInterval {
  estimate: number;
  lower: number;
  upper: number;
}

/**
 * Wilson's score interval of a proportion: within [0, 1] and sound for small counts, 0 and all.
 *
 * @throws MetricsError `INVALID_OPTION` for counts that are not whole or not 0 <= successes <= total, `EMPTY` for total 0
 * @see Wilson 1927; Newcombe 1998; statsmodels `proportion_confint(method='wilson')`
 * @example
 * wilsonCi(8, 10) // { estimate: 0.8, lower: 0.490, upper: 0.943 }
 */
export function wilsonCi(
  successes: number,
  total: number,
  { level = 0.95 }: { level?: number } = {},
): ProportionInterval {
  checkProportion(successes, total, level);
  const z = normalInterval(level);
  const estimate = successes / total;
  const scale = 1 + (z * z) / total;
  const centre = (estimate + (z * z) / (2 * total)) / scale;
  const half = (z * Math.sqrt((estimate * (1 - estimate)) / total + (z * z) / (4 * total * total))) / scale;
  // At 0 and at all successes the limit is exactly 0 or 1; rounding would leave 1e-17.
  return {
    estimate,
    lower: successes === 0 ? 0 : centre - half,
    upper: successes === total ? 1 : centre + half,
  };
}

export function checkProportion(successes: number, total: number, level: number): void {
  checkLevel(level);
  checkCount(successes, 'successes', 0);
  checkCount(total, 'total', 0);
  if (total === 0)
    throw new MetricsError({ code: 'EMPTY', message: 'A proportion of 0 cases has no value.' });
  if (successes > total) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `successes is ${successes}, more than total, ${total}.`,
    });
  }
}
