import { checkLabelled, checkLevel, checkSameLength, type Values } from './check-input.js';
import { differenceOf, structuralComponents } from './delong-components.js';
import { normalInterval, normalTwoSided } from './distributions.js';
import { MetricsError } from './metrics-error.js';

export interface CrossValidatedAuc {
  /** the mean of the AUCs of the folds */
  auc: number;
  lower: number;
  upper: number;
  standardError: number;
  folds: number;
}

export interface CrossValidatedAucDifference {
  aucA: number;
  aucB: number;
  /** aucA - aucB */
  difference: number;
  lower: number;
  upper: number;
  standardError: number;
  z: number;
  /** two-sided */
  p: number;
  folds: number;
}

type Keys = ArrayLike<string | number>;

/**
 * The AUC of a cross-validation: the mean over folds of the AUC within each fold, with the interval of its influence
 * function. Only cases of one fold are compared, as only they were scored by one model. Pooling scores over folds instead
 * is biased downwards: a fold with more positives of some kind than its share left fewer to the model that scores it.
 *
 * For one fold it is DeLong's variance; for several, a case's part is (placement - AUC of its fold) / (its class's cases in
 * the fold x folds), with DeLong's n/(n-1). Repeated cross-validations are more folds, in which the cases appear again: name
 * in `clusters` which rows are one patient, whose parts are then added up before they are squared.
 *
 * @param folds one name a row, unique over repetitions, such as "repeat-1-fold-0"; each fold holds two cases of each class
 * @param options.clusters the patient of each row; needed when a case has several rows
 * @throws MetricsError as `delongCi`, `LENGTH_MISMATCH`
 * @see LeDell, Petersen and van der Laan 2015, Electron J Stat 9:1583, equation 8; R package cvAUC
 * @example
 * crossValidatedAuc([0, 0, 1, 1, 0, 0, 1, 1], [1, 2, 3, 4, 1, 3, 2, 4], [0, 0, 0, 0, 1, 1, 1, 1]).auc // 0.875
 */
export function crossValidatedAuc(
  labels: Values,
  scores: Values,
  folds: Keys,
  { level = 0.95, clusters }: { level?: number; clusters?: Keys } = {},
): CrossValidatedAuc {
  checkLevel(level);
  const { auc, variance, count } = influence(labels, [scores], folds, clusters)[0]!;
  const standardError = Math.sqrt(variance);
  const half = normalInterval(level) * standardError;
  return {
    auc,
    lower: Math.max(0, auc - half),
    upper: Math.min(1, auc + half),
    standardError,
    folds: count,
  };
}

/**
 * The difference of two cross-validated AUCs of the same rows and folds, its interval and its test: `crossValidatedAuc` with
 * the differences of placements. For one fold it is `delongTest` and `delongDifferenceCi`.
 *
 * @throws MetricsError as `crossValidatedAuc`; `NO_VARIANCE` when the AUCs differ although neither varies
 * @example
 * crossValidatedAucDifference(labels, clinicalAndVolume, clinical, folds, { clusters: patients }).p
 */
export function crossValidatedAucDifference(
  labels: Values,
  scoresA: Values,
  scoresB: Values,
  folds: Keys,
  { level = 0.95, clusters }: { level?: number; clusters?: Keys } = {},
): CrossValidatedAucDifference {
  checkLevel(level);
  const [a, b, of] = influence(labels, [scoresA, scoresB], folds, clusters) as [Part, Part, Part];
  const difference = a.auc - b.auc;
  const standardError = Math.sqrt(of.variance);
  if (standardError === 0 && difference !== 0) {
    throw new MetricsError({
      code: 'NO_VARIANCE',
      message: `The AUCs differ by ${difference} but have no sampling variance, so the test is infinite. Report the two AUCs alone.`,
    });
  }
  const half = normalInterval(level) * standardError;
  const z = standardError === 0 ? 0 : difference / standardError;
  return {
    aucA: a.auc,
    aucB: b.auc,
    difference,
    lower: Math.max(-1, difference - half),
    upper: Math.min(1, difference + half),
    standardError,
    z,
    p: normalTwoSided(z),
    folds: of.count,
  };
}

interface Part {
  auc: number;
  variance: number;
  count: number;
}

/** Each score set's mean AUC and its variance; of two, that of their difference as a third. */
function influence(labels: Values, scoreSets: Values[], folds: Keys, clusters: Keys | undefined): Part[] {
  for (const scores of scoreSets) checkLabelled(labels, scores);
  for (const [keys, name] of [
    [folds, 'folds'],
    [clusters ?? folds, 'clusters'],
  ] as const)
    checkSameLength(labels, keys as unknown as Values, 'labels', name);
  const rowsOf = new Map<string | number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const rows = rowsOf.get(folds[i]!);
    if (rows) rows.push(i);
    else rowsOf.set(folds[i]!, [i]);
  }
  const aucs = [0, 0, 0];
  const sums: Map<string | number, number>[] = [new Map(), new Map(), new Map()];
  for (const rows of rowsOf.values()) {
    const own = rows.map((i) => labels[i]!);
    const parts = scoreSets.map((scores) =>
      structuralComponents(
        own,
        rows.map((i) => scores[i]!),
        'scores',
      ),
    );
    const sets = parts.length === 2 ? [...parts, differenceOf(parts[0]!, parts[1]!)] : parts;
    sets.forEach(({ auc, positive, negative }, set) => {
      aucs[set]! += auc / rowsOf.size;
      // The n/(n-1) of DeLong's sample variances, on the part itself so that parts of one patient can be added up.
      const share = (size: number) => 1 / Math.sqrt(size * (size - 1)) / rowsOf.size;
      const [ofPositive, ofNegative] = [share(positive.length), share(negative.length)];
      let [p, n] = [0, 0];
      for (const i of rows) {
        const part =
          labels[i] === 1 ? (positive[p++]! - auc) * ofPositive : (negative[n++]! - auc) * ofNegative;
        const key = clusters ? clusters[i]! : i;
        sums[set]!.set(key, (sums[set]!.get(key) ?? 0) + part);
      }
    });
  }
  return sums
    .filter((sum) => sum.size > 0)
    .map((sum, set) => ({
      auc: aucs[set]!,
      variance: [...sum.values()].reduce((total, part) => total + part ** 2, 0),
      count: rowsOf.size,
    }));
}
