import { checkLevel, checkProbabilities, checkSameLength, type Values } from './check-input.js';
import { clopperPearsonCi } from './clopper-pearson-ci.js';
import { MetricsError } from './metrics-error.js';
import type { ProportionInterval } from './wilson-ci.js';

/** The labels that cannot be ruled out: [], [0], [1] or [0, 1]. */
export type LabelSet = (0 | 1)[];

export interface SplitConformal {
  level: number;
  perClass: boolean;
  /** a label is in the set when its non-conformity, 1 - its probability, is at most this: [of label 0, of label 1] */
  limits: [number, number];
  sets(probabilities: Values): LabelSet[];
}

/**
 * Split-conformal sets of a binary prediction: the set of a new case holds its label with probability `level` or more, if it
 * is exchangeable with the calibration cases and those had no part in training. The limit is the
 * ceil((n + 1) level)-th smallest 1 - p(true label) of the calibration cases; where there is no such case (n too small for the
 * level) it is 1 and every set holds both labels.
 *
 * `perClass` takes the limit of each label from that class's cases: coverage then holds within each class, at the price of
 * larger sets (Mondrian; Vovk 2012).
 *
 * @param probabilities of label 1, of calibration cases
 * @throws MetricsError as `brierScore`; `INVALID_OPTION`
 * @see Vovk, Gammerman and Shafer 2005; Sadinle, Lei and Wasserman 2019 (this score); MAPIE `SplitConformalClassifier`, `lac`
 * @example
 * splitConformal(validationLabels, validationProbabilities, { level: 0.9 }).sets([0.03, 0.5]) // [[0], [0, 1]]
 */
export function splitConformal(
  labels: Values,
  probabilities: Values,
  { level = 0.9, perClass = false }: { level?: number; perClass?: boolean } = {},
): SplitConformal {
  checkLevel(level);
  checkProbabilities(labels, probabilities);
  const scores: [number[], number[]] = [[], []];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as 0 | 1;
    scores[label].push(nonConformity(label, probabilities[i]!));
  }
  const limits: [number, number] = perClass
    ? [limitOf(scores[0], level), limitOf(scores[1], level)]
    : (Array(2).fill(limitOf(scores.flat(), level)) as [number, number]);
  return {
    level,
    perClass,
    limits,
    sets: (values) =>
      Array.from(values, (probability, i) => {
        if (!(probability >= 0 && probability <= 1)) {
          throw new MetricsError({
            code: 'OUT_OF_RANGE',
            message: `probabilities[${i}] is ${probability}, outside [0, 1].`,
          });
        }
        return ([0, 1] as const).filter((label) => nonConformity(label, probability) <= limits[label]);
      }),
  };
}

const nonConformity = (label: 0 | 1, probability: number) => (label === 1 ? 1 - probability : probability);

/** Rounding may not push a whole rank to the next: 0.9 * 10 is 9 in float64, 0.7 * 10 is 7.000000000000001 in others. */
const ROUNDING = 1e-12;

function limitOf(scores: number[], level: number): number {
  const rank = Math.ceil((scores.length + 1) * level - ROUNDING * scores.length);
  return rank > scores.length ? 1 : Float64Array.from(scores).sort()[rank - 1]!;
}

export interface ConformalCoverage {
  /** share of cases whose set holds their label, with its exact interval */
  marginal: CoverageShare;
  negatives: CoverageShare;
  positives: CoverageShare;
  /** how many sets hold no, one, and both labels */
  empty: number;
  single: number;
  both: number;
  /** of the sets with one label, how many name the right one; null without any */
  singleRight: CoverageShare | null;
}

export interface CoverageShare extends ProportionInterval {
  covered: number;
  total: number;
}

/**
 * How often sets hold the true label, in all cases and in each class, on cases that neither trained nor calibrated. Marginal
 * coverage of the stated level does not promise it in each class: look at both.
 *
 * @param level confidence of the Clopper-Pearson intervals
 * @throws MetricsError `EMPTY`, `LENGTH_MISMATCH`, `INVALID_LABEL`, `ONE_CLASS`
 * @example
 * conformalCoverage([1, 0], [[0, 1], [1]]).marginal.estimate // 0.5
 */
export function conformalCoverage(
  labels: Values,
  sets: readonly (readonly number[])[],
  { level = 0.95 }: { level?: number } = {},
): ConformalCoverage {
  checkSameLength(
    labels,
    sets.map(({ length }) => length),
    'labels',
    'sets',
  );
  checkProbabilities(labels, new Float64Array(labels.length)); // both classes, 0 or 1
  const all = Array.from(sets, (set, i) => ({ set, label: labels[i]!, covered: set.includes(labels[i]!) }));
  const share = (cases: typeof all): CoverageShare => {
    const covered = cases.filter((each) => each.covered).length;
    return { covered, total: cases.length, ...clopperPearsonCi(covered, cases.length, { level }) };
  };
  const ofSize = (size: number) => all.filter(({ set }) => set.length === size);
  const single = ofSize(1);
  return {
    marginal: share(all),
    negatives: share(all.filter(({ label }) => label === 0)),
    positives: share(all.filter(({ label }) => label === 1)),
    empty: ofSize(0).length,
    single: single.length,
    both: ofSize(2).length,
    singleRight: single.length > 0 ? share(single) : null,
  };
}
