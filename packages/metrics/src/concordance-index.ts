import { checkFinite, checkSameLength, type Values } from './check-input.js';
import { checkSurvival } from './check-survival.js';
import { weightedConcordance } from './weighted-concordance.js';

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
  return weightedConcordance(times, events, risks, () => 1);
}
