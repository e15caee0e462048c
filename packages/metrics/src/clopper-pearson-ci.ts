import { betaQuantile } from './distributions.js';
import { checkProportion, type ProportionInterval } from './wilson-ci.js';

/**
 * Clopper-Pearson's exact interval of a proportion: never covers less than it says, so it is wider than Wilson's. At 0
 * successes the lower limit is 0, at all successes the upper one is 1.
 *
 * @throws MetricsError as `wilsonCi`
 * @see Clopper and Pearson 1934, Biometrika 26:404; statsmodels `proportion_confint(method='beta')`
 * @example
 * clopperPearsonCi(8, 10) // { estimate: 0.8, lower: 0.444, upper: 0.975 }
 */
export function clopperPearsonCi(
  successes: number,
  total: number,
  { level = 0.95 }: { level?: number } = {},
): ProportionInterval {
  checkProportion(successes, total, level);
  const tail = (1 - level) / 2;
  return {
    estimate: successes / total,
    lower: successes === 0 ? 0 : betaQuantile(tail, successes, total - successes + 1),
    upper: successes === total ? 1 : 1 - betaQuantile(tail, total - successes, successes + 1),
  };
}
