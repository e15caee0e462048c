import { type Censoring, censoringSurvival } from './censoring-survival.js';
import { checkFinite, checkSameLength, type Values } from './check-input.js';
import { checkSurvival } from './check-survival.js';
import { MetricsError } from './metrics-error.js';
import { weightedConcordance } from './weighted-concordance.js';

/**
 * Uno's C: as `concordanceIndex`, but the pairs of an event at t weigh 1 / G(t)^2, G being the chance of still being
 * uncensored. Harrell's C drifts with the amount of censoring, this one estimates the same quantity under any (censoring has
 * to be independent of risk). Without censoring both are equal. O(n log n).
 *
 * @param options.tau events at tau or later are left out; needed where the last times are censored, whose weights explode
 * @param options.censoring the follow-up that G is estimated from, the training cases for example; the cases themselves unless
 *   given
 * @throws MetricsError as `concordanceIndex`; `INVALID_OPTION` for a tau that is not above 0; `NO_VARIANCE` when an event lies
 *   where G is 0; `OUT_OF_RANGE` when it lies beyond `censoring`
 * @see Uno et al. 2011, Stat Med 30:1105; scikit-survival `concordance_index_ipcw`
 * @example
 * unoConcordance([2, 3, 4, 6], [1, 0, 1, 0], [0.9, 0.4, 0.3, 0.5]) // 0.571
 */
export function unoConcordance(
  times: Values,
  events: Values,
  risks: Values,
  { tau, censoring = { times, events } }: { tau?: number; censoring?: Censoring } = {},
): number {
  checkSurvival(times, events);
  checkSameLength(times, risks, 'times', 'risks');
  checkFinite(risks, 'risks');
  if (tau !== undefined && !(tau > 0)) {
    throw new MetricsError({ code: 'INVALID_OPTION', message: `tau is ${tau}: give a time above 0.` });
  }
  const uncensored = censoringSurvival(censoring);
  return weightedConcordance(times, events, risks, (index) =>
    tau !== undefined && times[index]! >= tau ? 0 : uncensored(times[index]!) ** -2,
  );
}
