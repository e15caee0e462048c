/** A number with the limits it is known to within. */
export interface Estimate {
  estimate: number;
  lower?: number;
  upper?: number;
}

/** The test cases again with their input changed on purpose. */
export interface StressResult {
  /** such as "mask eroded by 2 mm" */
  name: string;
  /** cases on which the changed input could still be judged */
  cases: number;
  /** cases that had to be left out, such as those whose lesion vanished */
  excluded?: number;
  auc: Estimate;
  /** AUC changed minus AUC unchanged, on the same cases */
  aucChange: Estimate;
  /** cases whose call at the threshold changed */
  flips: number;
  /** mean absolute change of the probability */
  meanProbabilityChange?: number;
}

/** How the test cases sit in the training distribution, by one score a case (larger is stranger). */
export interface OutOfDistribution {
  /** such as "Mahalanobis distance of the embedding, shrunk covariance" */
  method: string;
  /** one score a test case, in the models' case order */
  scores: readonly number[];
  /** above it a case is flagged */
  threshold: number;
  /** how the threshold was set, such as "97.5th percentile of validation cases" */
  rule: string;
  /** AUC of the score at telling a known stranger (another modality, noise) from the test cases */
  detectionAuc?: { name: string; auc: number }[];
}

/** Split-conformal prediction sets and what they covered. */
export interface ConformalResult {
  /** such as "split conformal, class-conditional, 1 - p" */
  method: string;
  /** cases that set the quantile */
  calibrationCases: number;
  levels: {
    /** the coverage promised, such as 0.9 */
    target: number;
    /** cases whose set holds the truth, of all test cases */
    covered: number;
    cases: number;
    /** sets with one class, with both, with none */
    singletons: number;
    both: number;
    empty: number;
    /** covered among the positives and among the negatives */
    perClass?: { label: 0 | 1; covered: number; cases: number }[];
  }[];
}
