import { conformalCoverage, type LabelSet, splitConformal } from '@onco-response/metrics';

interface Predicted {
  labels: number[];
  probabilities: number[];
}

/** What one model says of cases that did not train it. */
export interface HeldOut {
  validation: Predicted;
  test: Predicted;
}

const LEVELS = [0.8, 0.9, 0.95];

/**
 * Split-conformal sets of each model, calibrated on its validation cases, and how often they hold the label of its test cases;
 * of several models all test predictions are counted, so a case may count more than once.
 */
export function conformalSummary(models: readonly HeldOut[], level: number) {
  const labels = models.flatMap(({ test }) => test.labels);
  const summary = (perClass: boolean) => ({
    method: `split conformal, 1 - p(label)${perClass ? ', within each class' : ''}, calibrated on validation cases`,
    calibrationCases: models.reduce((sum, { validation }) => sum + validation.labels.length, 0),
    levels: LEVELS.map((target) => {
      const sets = models.flatMap(({ validation, test }): LabelSet[] =>
        splitConformal(validation.labels, validation.probabilities, { level: target, perClass }).sets(
          test.probabilities,
        ),
      );
      const { marginal, negatives, positives, empty, single, both, singleRight } = conformalCoverage(
        labels,
        sets,
        { level },
      );
      return {
        target,
        covered: marginal.covered,
        cases: marginal.total,
        coverage: { estimate: marginal.estimate, lower: marginal.lower, upper: marginal.upper },
        singletons: single,
        both,
        empty,
        singletonsRight: singleRight?.covered ?? null,
        perClass: [
          { label: 0 as const, covered: negatives.covered, cases: negatives.total },
          { label: 1 as const, covered: positives.covered, cases: positives.total },
        ],
      };
    }),
  });
  return {
    conformal: summary(false),
    conformalPerClass: summary(true),
    conformalNote:
      'The promise holds for calibration cases that had no part in training; validation cases chose the epoch, the calibration and the threshold, so look at the coverage.',
  };
}
