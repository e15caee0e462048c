import {
  type BootstrapInterval,
  bootstrapCi,
  brierScore,
  calibrationSlopeIntercept,
  delongUnpairedTest,
  holm,
  MetricsError,
  rocAuc,
  wilsonCi,
} from '@onco-response/metrics';
import { type EqualisedOdds, equalisedOdds } from './equalised-odds.js';
import { type CountedProportion, calls, type EvaluationOptions } from './evaluate-model.js';
import { groupValues } from './group-values.js';
import { ReportError } from './report-error.js';
import { DEFAULT_MINIMUM, type SubgroupColumn, type SubgroupMinimum } from './report-subgroups.js';
import { whereDefined } from './where-defined.js';

/** What is known of one group of cases. Plain JSON; null where `notDefined` (or `tooFew`) says why. */
export interface SubgroupResult {
  group: string;
  cases: number;
  /** distinct clusters, or null when none were given */
  patients: number | null;
  positives: number;
  /** why nothing was measured; null when it was */
  tooFew: string | null;
  rocAuc: BootstrapInterval | null;
  sensitivity: CountedProportion | null;
  specificity: CountedProportion | null;
  positivePredictiveValue: CountedProportion | null;
  negativePredictiveValue: CountedProportion | null;
  brierScore: number | null;
  /** the log-odds that have to be added to the probabilities for their mean to be right; above 0: too low */
  calibrationInTheLarge: number | null;
  /** AUC in the group minus AUC in all other measured cases, by DeLong's unpaired test; p adjusted by Holm over the groups */
  againstRest: { difference: number; lower: number; upper: number; p: number; adjustedP: number } | null;
  notDefined: Record<string, string>;
}

/** One column's groups, and how unequally they are treated. Plain JSON. */
export interface SubgroupAnalysis {
  column: string;
  minimum: SubgroupMinimum;
  groups: SubgroupResult[];
  /** between the groups that were measured; null where `notDefined` says why */
  equalisedOdds: EqualisedOdds | null;
  notDefined: Record<string, string>;
}

export interface SubgroupOptions extends EvaluationOptions {
  minimum?: SubgroupMinimum;
}

/**
 * Measures a model in each group of a column: ROC-AUC with a bootstrap interval, sensitivity, specificity and predictive values
 * at the threshold with Wilson intervals, Brier score and calibration in the large; then each group's AUC against
 * that of the rest and the equalised-odds gap between the groups. A group under the minimum is counted and not measured, and takes no part in
 * the comparisons. Subgroups of one cohort are many small comparisons: read the intervals, not the ranking.
 *
 * @param column one value a case; see `SubgroupColumn`
 * @param options.minimum 20 cases with 5 of each class unless given
 * @throws ReportError `LENGTH_MISMATCH` when the column has another number of values than there are cases; MetricsError as
 *   `bootstrapCi`
 * @see Hardt, Price and Srebro 2016 (equalised odds); pROC `delong.unpaired.test`
 * @example
 * analyseSubgroups(labels, probabilities, { name: 'HER2', values: her2 }, { threshold: 0.4, bootstrap }).groups[0]?.rocAuc
 */
export function analyseSubgroups(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  column: SubgroupColumn,
  { threshold, bootstrap, clusters, minimum = DEFAULT_MINIMUM }: SubgroupOptions,
): SubgroupAnalysis {
  if (column.values.length !== labels.length) {
    throw new ReportError({
      code: 'LENGTH_MISMATCH',
      message: `Column "${column.name}" has ${column.values.length} values for ${labels.length} cases: it needs one a case, in the same order.`,
    });
  }
  const called = calls(scores, threshold);
  const { groups, ofCase } = groupValues(column);
  const positions = groups.map((group) => ofCase.flatMap((of, i) => (of === group ? [i] : [])));
  const results = groups.map((group, g) => {
    const at = positions[g]!;
    const pick = <T>(values: ArrayLike<T>) => at.map((i) => values[i]!);
    return measureGroup(group, pick(labels), pick(scores), pick(called), {
      minimum,
      bootstrap,
      ...(clusters === undefined ? {} : { clusters: pick<string | number>(clusters) }),
    });
  });
  const measured = results.flatMap((result, g) => (result.tooFew === null ? [g] : []));
  const analysis: SubgroupAnalysis = {
    column: column.name,
    minimum,
    groups: results,
    equalisedOdds: null,
    notDefined: {},
  };
  if (measured.length < 2) {
    const reason = `${measured.length === 0 ? 'No group reaches' : 'Only one group reaches'} the minimum of ${minimum.cases} cases with ${minimum.perClass} of each class, so there is nothing to compare.`;
    analysis.notDefined = { equalisedOdds: reason };
    return analysis;
  }
  const kept = measured.flatMap((g) => positions[g]!.map((i) => ({ i, group: groups[g]! })));
  analysis.equalisedOdds = equalisedOdds(
    kept.map(({ i }) => labels[i]!),
    kept.map(({ i }) => called[i]!),
    kept.map(({ group }) => group),
    { bootstrap, ...(clusters === undefined ? {} : { clusters: kept.map(({ i }) => clusters[i]!) }) },
  );
  compareWithRest(
    measured.map((g) => ({ result: results[g]!, at: positions[g]! })),
    labels,
    scores,
    bootstrap.level,
  );
  return analysis;
}

interface GroupOptions {
  minimum: SubgroupMinimum;
  bootstrap: EvaluationOptions['bootstrap'];
  clusters?: (string | number)[];
}

function measureGroup(
  group: string,
  labels: number[],
  scores: number[],
  called: number[],
  { minimum, bootstrap, clusters }: GroupOptions,
): SubgroupResult {
  const cases = labels.length;
  const count = (label: number, call?: number) =>
    labels.filter((value, i) => value === label && (call === undefined || called[i] === call)).length;
  const positives = count(1);
  const notDefined: Record<string, string> = {};
  const counted = {
    group,
    cases,
    patients: clusters === undefined ? null : new Set(clusters).size,
    positives,
    notDefined,
  };
  const fewest = Math.min(positives, cases - positives);
  if (cases < minimum.cases || fewest < Math.max(1, minimum.perClass)) {
    return {
      ...counted,
      tooFew:
        cases < minimum.cases
          ? `${cases} cases, fewer than ${minimum.cases}`
          : `${fewest} ${positives === fewest ? 'positive' : 'negative'}, fewer than ${Math.max(1, minimum.perClass)}`,
      rocAuc: null,
      sensitivity: null,
      specificity: null,
      positivePredictiveValue: null,
      negativePredictiveValue: null,
      brierScore: null,
      calibrationInTheLarge: null,
      againstRest: null,
    };
  }
  const orNull = whereDefined(notDefined);
  const proportion = (successes: number, total: number) => ({
    ...wilsonCi(successes, total, { level: bootstrap.level }),
    successes,
    total,
  });
  const [tp, fn, fp, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)];
  return {
    ...counted,
    tooFew: null,
    rocAuc: bootstrapCi(rocAuc, labels, scores, {
      ...bootstrap,
      stratified: true,
      ...(clusters === undefined ? {} : { clusters }),
    }),
    sensitivity: proportion(tp, tp + fn),
    specificity: proportion(tn, tn + fp),
    positivePredictiveValue: orNull('positivePredictiveValue', () => proportion(tp, tp + fp)),
    negativePredictiveValue: orNull('negativePredictiveValue', () => proportion(tn, tn + fn)),
    brierScore: orNull('brierScore', () => brierScore(labels, scores)),
    calibrationInTheLarge: orNull(
      'calibrationInTheLarge',
      () => calibrationSlopeIntercept(labels, scores, { clip: 1e-6 }).calibrationInTheLarge,
    ),
    againstRest: null,
  };
}

/** Fills in `againstRest`. Two groups are one comparison seen from both sides, so it is adjusted as one. */
function compareWithRest(
  groups: { result: SubgroupResult; at: number[] }[],
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  level: number,
): void {
  const pick = (values: ArrayLike<number>, at: number[]) => at.map((i) => values[i]!);
  const tested = groups.flatMap(({ result, at }) => {
    const rest = groups.flatMap((other) => (other.result === result ? [] : other.at));
    try {
      const { difference, lower, upper, p } = delongUnpairedTest(
        pick(labels, at),
        pick(scores, at),
        pick(labels, rest),
        pick(scores, rest),
        { level },
      );
      return [{ result, values: { difference, lower, upper, p } }];
    } catch (error) {
      if (!MetricsError.isInstance(error)) throw error;
      result.notDefined.againstRest = error.message;
      return [];
    }
  });
  if (tested.length === 0) return;
  const adjusted =
    groups.length === 2 ? tested.map(({ values }) => values.p) : holm(tested.map(({ values }) => values.p));
  tested.forEach(({ result, values }, i) => {
    result.againstRest = { ...values, adjustedP: adjusted[i]! };
  });
}
