import { type Censoring, censoringSurvival } from './censoring-survival.js';
import { checkFinite, type Values } from './check-input.js';
import { checkSurvival } from './check-survival.js';
import { MetricsError } from './metrics-error.js';

/**
 * The Brier score of predicted survival at each evaluation time, weighted for censoring (IPCW): the mean over cases of
 * S(t)^2 / G(T) for an event by t, (1 - S(t))^2 / G(t) for a case still followed after t, and 0 for one censored by t.
 * 0 is perfect; S = 1/2 for everybody gives 1/4.
 *
 * @param survival one row a case: the predicted chance of being event-free after each of `evaluationTimes`
 * @param evaluationTimes rising, within the follow-up
 * @param options.censoring the follow-up that G is estimated from; the cases themselves unless given
 * @throws MetricsError as `kaplanMeier`; `LENGTH_MISMATCH` for the shape of `survival`; `OUT_OF_RANGE` for a chance outside
 *   [0, 1], times that do not rise or lie at or beyond the last follow-up; `NO_VARIANCE` where G is 0
 * @see Graf et al. 1999, Stat Med 18:2529; scikit-survival `brier_score`
 * @example
 * survivalBrierScore([1, 3, 4], [1, 0, 1], [[0.2], [0.7], [0.9]], [2]) // [0.0467]
 */
export function survivalBrierScore(
  times: Values,
  events: Values,
  survival: ArrayLike<Values>,
  evaluationTimes: Values,
  { censoring = { times, events } }: { censoring?: Censoring } = {},
): number[] {
  checkSurvival(times, events);
  checkEvaluation(times, survival, evaluationTimes);
  const uncensored = censoringSurvival(censoring);
  return Array.from(evaluationTimes, (time, column) => {
    let sum = 0;
    for (let i = 0; i < times.length; i++) {
      const predicted = survival[i]![column]!;
      if (times[i]! > time) sum += (1 - predicted) ** 2 / uncensored(time);
      else if (events[i] === 1) sum += predicted ** 2 / uncensored(times[i]!);
    }
    return sum / times.length;
  });
}

/**
 * The integrated Brier score: the area under `survivalBrierScore` (trapezoids) divided by the time it spans. Compare it with
 * that of the Kaplan-Meier curve given to everybody.
 *
 * @throws MetricsError as `survivalBrierScore`; `TOO_FEW` with fewer than two evaluation times
 * @see Graf et al. 1999; scikit-survival `integrated_brier_score`
 * @example
 * integratedBrierScore([1, 3, 4], [1, 0, 1], [[0.5, 0.1], [0.9, 0.7], [0.9, 0.8]], [1, 2])
 */
export function integratedBrierScore(
  times: Values,
  events: Values,
  survival: ArrayLike<Values>,
  evaluationTimes: Values,
  options: { censoring?: Censoring } = {},
): number {
  const scores = survivalBrierScore(times, events, survival, evaluationTimes, options);
  if (scores.length < 2) {
    throw new MetricsError({
      code: 'TOO_FEW',
      message: 'An integral needs two evaluation times or more; use survivalBrierScore for one.',
    });
  }
  let area = 0;
  for (let k = 1; k < scores.length; k++) {
    area += ((evaluationTimes[k]! - evaluationTimes[k - 1]!) * (scores[k]! + scores[k - 1]!)) / 2;
  }
  return area / (evaluationTimes[scores.length - 1]! - evaluationTimes[0]!);
}

function checkEvaluation(times: Values, survival: ArrayLike<Values>, evaluationTimes: Values): void {
  if (!(evaluationTimes?.length > 0))
    throw new MetricsError({ code: 'EMPTY', message: 'evaluationTimes is empty.' });
  checkFinite(evaluationTimes, 'evaluationTimes');
  let last = 0;
  for (let i = 0; i < times.length; i++) last = Math.max(last, times[i]!);
  for (let k = 0; k < evaluationTimes.length; k++) {
    const time = evaluationTimes[k]!;
    if (time < 0 || time >= last || (k > 0 && time <= evaluationTimes[k - 1]!)) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `evaluationTimes[${k}] is ${time}: times have to rise from 0 and stay below the last follow-up, ${last}.`,
      });
    }
  }
  if (survival?.length !== times.length) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `survival has ${survival?.length} rows and there are ${times.length} cases: give one row a case.`,
    });
  }
  for (let i = 0; i < survival.length; i++) {
    const row = survival[i];
    if (row?.length !== evaluationTimes.length) {
      throw new MetricsError({
        code: 'LENGTH_MISMATCH',
        message: `survival[${i}] has ${row?.length} values for ${evaluationTimes.length} evaluation times.`,
      });
    }
    checkFinite(row, `survival[${i}]`);
    const outside = Array.from(row).find((chance) => chance < 0 || chance > 1);
    if (outside !== undefined) {
      throw new MetricsError({
        code: 'OUT_OF_RANGE',
        message: `survival[${i}] holds ${outside}: a chance is in [0, 1].`,
      });
    }
  }
}
