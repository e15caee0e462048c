import {
  type BootstrapInterval,
  bootstrapCi,
  type DecisionPoint,
  decisionCurve,
} from '@onco-response/metrics';
import type { EvaluationOptions } from './evaluate-model.js';
import { ReportError } from './report-error.js';

/** Which threshold probabilities a decision would be taken at. */
export interface DecisionRange {
  /** the lowest threshold probability; 0.05 unless given */
  from?: number;
  /** the highest; 0.6 unless given */
  to?: number;
  /** between points of the curve; 0.01 unless given */
  step?: number;
  /** thresholds of the table, with intervals; round numbers across the range unless given */
  shown?: readonly number[];
  /** what is done to a case called positive, such as "switch to second-line chemotherapy" */
  action?: string;
  /** why this range, in a sentence: whoever reads the curve has to agree with it */
  reason?: string;
}

/** Net benefit of one model over a range of threshold probabilities. Plain JSON. */
export interface DecisionAnalysis {
  curve: DecisionPoint[];
  /** at the thresholds shown */
  shown: {
    threshold: number;
    netBenefit: BootstrapInterval;
    treatAll: number;
    /** net benefit minus that of the better of treating everybody and nobody */
    gain: BootstrapInterval;
    /** unnecessary interventions avoided in 100 cases, against treating everybody, at no loss of true positives */
    avoidedPer100: BootstrapInterval;
  }[];
}

/**
 * Decision curve of one model with bootstrap intervals at a few thresholds. A resample keeps the prevalence of the data, as
 * resampling is stratified by outcome.
 *
 * @throws MetricsError as `decisionCurve` (scores that are no probabilities raise `OUT_OF_RANGE`); ReportError for a range that
 *   is none
 * @see Vickers and Elkin 2006, Med Decis Making 26:565; dcurves `dca` and `net_intervention_avoided`
 * @example
 * analyseDecisions(labels, probabilities, { from: 0.1, to: 0.5 }, { bootstrap }).shown[0]?.gain.lower
 */
export function analyseDecisions(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  range: DecisionRange,
  { bootstrap, clusters }: Omit<EvaluationOptions, 'threshold'>,
): DecisionAnalysis {
  const { thresholds, shown } = decisionThresholds(range);
  const interval = (statistic: (point: DecisionPoint) => number, threshold: number) =>
    bootstrapCi((l, s) => statistic(decisionCurve(l, s, [threshold])[0]!), labels, scores, {
      ...bootstrap,
      stratified: true,
      ...(clusters === undefined ? {} : { clusters }),
    });
  return {
    curve: decisionCurve(labels, scores, thresholds),
    shown: shown.map((threshold) => ({
      threshold,
      netBenefit: interval(({ netBenefit }) => netBenefit, threshold),
      treatAll: decisionCurve(labels, scores, [threshold])[0]!.treatAll,
      gain: interval(({ netBenefit, treatAll }) => netBenefit - Math.max(treatAll, 0), threshold),
      avoidedPer100: interval(({ interventionsAvoided }) => 100 * interventionsAvoided, threshold),
    })),
  };
}

/** The curve's thresholds and those of the table. */
export function decisionThresholds({ from = 0.05, to = 0.6, step = 0.01, shown }: DecisionRange): {
  thresholds: number[];
  shown: number[];
} {
  if (!(from > 0 && from < to && to < 1 && step > 0)) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `The range of the decision curve is ${from} to ${to} in steps of ${step}: thresholds lie between 0 and 1, both excluded, and rise.`,
    });
  }
  const round = (value: number) => Number(value.toFixed(6));
  const count = Math.floor((to - from) / step + 1e-9);
  const thresholds = Array.from({ length: count + 1 }, (_, i) => round(from + i * step));
  if (thresholds.at(-1)! < round(to)) thresholds.push(round(to));
  // Round numbers inside the range, at most seven of them.
  const size = [0.01, 0.02, 0.05, 0.1, 0.2].find((candidate) => (to - from) / candidate <= 6) ?? 0.2;
  const across = Array.from({ length: Math.ceil(1 / size) }, (_, i) => round(i * size)).filter(
    (value) => value >= from - 1e-9 && value <= to + 1e-9 && value > 0,
  );
  if (across.length === 0) across.push(round((from + to) / 2));
  return { thresholds, shown: [...new Set(shown ?? across)] };
}
