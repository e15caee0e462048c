import type { Values } from './check-input.js';
import { checkSurvival, orderByTime } from './check-survival.js';
import { MetricsError } from './metrics-error.js';

/** Follow-up from which the chance of still being uncensored is estimated. */
export interface Censoring {
  times: Values;
  events: Values;
}

/**
 * G(t), the Kaplan-Meier estimate of being uncensored after t, as a function of t. Events come before censorings at the same
 * time, and G at a censoring time is the value after it: scikit-survival's `CensoringDistributionEstimator`, which differs from
 * G(t-) only where a case is censored at the very time of an event.
 *
 * The function raises `NO_VARIANCE` where G is 0 and `OUT_OF_RANGE` beyond the follow-up it was estimated from.
 */
export function censoringSurvival({ times, events }: Censoring): (time: number) => number {
  checkSurvival(times, events);
  const order = orderByTime(times);
  const steps: number[] = [];
  const values: number[] = [];
  let remaining = 1;
  for (let start = 0; start < order.length; ) {
    const time = times[order[start]!]!;
    let end = start;
    let happened = 0;
    for (; end < order.length && times[order[end]!] === time; end++) happened += events[order[end]!]!;
    const atRisk = order.length - start - happened;
    if (atRisk > 0) remaining *= 1 - (end - start - happened) / atRisk;
    steps.push(time);
    values.push(remaining);
    start = end;
  }
  const last = steps[steps.length - 1]!;
  return (time) => {
    let [low, high] = [-1, steps.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (steps[middle]! <= time) low = middle;
      else high = middle - 1;
    }
    const value = low < 0 ? 1 : values[low]!;
    if (value === 0) {
      throw new MetricsError({
        code: 'NO_VARIANCE',
        message: `Nobody is uncensored after time ${time}, so a case there has an infinite weight. Give a tau, or evaluation times, before it.`,
      });
    }
    if (time > last) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `Time ${time} lies beyond the follow-up (${last}) that censoring is estimated from. Give a tau, or evaluation times, before it.`,
      });
    }
    return value;
  };
}
