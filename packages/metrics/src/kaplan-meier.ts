import { checkLevel, type Values } from './check-input.js';
import { checkSurvival, orderByTime } from './check-survival.js';
import { normalInterval } from './distributions.js';

/** One entry a distinct observed time, after an entry for time 0. */
export interface KaplanMeier {
  times: number[];
  survival: number[];
  /** limits on the log(-log) scale; where no event has happened yet both are 1, where survival is 0 both are 0 */
  lower: number[];
  upper: number[];
  /** just before each time */
  atRisk: number[];
  events: number[];
  censored: number[];
  /** the first time with survival <= 0.5, or null if it stays above */
  median: number | null;
}

/**
 * The Kaplan-Meier estimate of survival with Greenwood's variance and log(-log) limits. Cases censored at a time are at risk
 * at it.
 *
 * @param times follow-up, >= 0, in any unit
 * @param events 1 when the event happened at that time, 0 when follow-up ended without it
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `NOT_FINITE`, `OUT_OF_RANGE`, `INVALID_LABEL`, `INVALID_OPTION`
 * @see Kaplan and Meier 1958; Kalbfleisch and Prentice 2002, section 1.4.1; lifelines `KaplanMeierFitter`
 * @example
 * kaplanMeier([2, 3, 5], [1, 0, 1]).survival // [1, 0.667, 0.667, 0]
 */
export function kaplanMeier(
  times: Values,
  events: Values,
  { level = 0.95 }: { level?: number } = {},
): KaplanMeier {
  checkLevel(level);
  checkSurvival(times, events);
  const z = normalInterval(level);
  const order = orderByTime(times);
  const curve: KaplanMeier = {
    times: [0],
    survival: [1],
    lower: [1],
    upper: [1],
    atRisk: [times.length],
    events: [0],
    censored: [0],
    median: null,
  };
  let survival = 1;
  let greenwood = 0;
  for (let start = 0; start < order.length; ) {
    const time = times[order[start]!]!;
    let end = start;
    let deaths = 0;
    for (; end < order.length && times[order[end]!] === time; end++) deaths += events[order[end]!]!;
    const atRisk = order.length - start;
    survival *= 1 - deaths / atRisk;
    if (deaths < atRisk) greenwood += deaths / (atRisk * (atRisk - deaths));
    const [lower, upper] = limits(survival, greenwood, z);
    curve.times.push(time);
    curve.survival.push(survival);
    curve.lower.push(lower);
    curve.upper.push(upper);
    curve.atRisk.push(atRisk);
    curve.events.push(deaths);
    curve.censored.push(end - start - deaths);
    // A product that is 1/2 on paper may end a few ulps above it.
    if (curve.median === null && survival <= 0.5 + 1e-11) curve.median = time;
    start = end;
  }
  return curve;
}

function limits(survival: number, greenwood: number, z: number): [number, number] {
  if (survival === 1 || survival === 0) return [survival, survival];
  const logSurvival = Math.log(survival);
  const half = (z * Math.sqrt(greenwood)) / logSurvival; // negative
  return [survival ** Math.exp(-half), survival ** Math.exp(half)];
}
