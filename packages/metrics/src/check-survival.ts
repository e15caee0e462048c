import { checkBinary, checkFinite, checkSameLength, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';

/** Times >= 0 and events 0 (censored) or 1; returns how many events there are. */
export function checkSurvival(times: Values, events: Values): number {
  checkSameLength(times, events, 'times', 'events');
  checkFinite(times, 'times');
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < 0) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `times[${i}] is ${times[i]}: a follow-up time is not negative.`,
      });
    }
  }
  return checkBinary(events, 'events');
}

/** Case indices by rising time. */
export function orderByTime(times: Values): number[] {
  return Array.from({ length: times.length }, (_, i) => i).sort((a, b) => times[a]! - times[b]!);
}
