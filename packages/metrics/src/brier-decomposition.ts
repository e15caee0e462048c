import { brierScore } from './brier-score.js';
import { type BinStrategy, calibrationBins } from './calibration-bins.js';
import { checkProbabilities, type Values } from './check-input.js';

export interface BrierDecomposition {
  /** = reliability - resolution + uncertainty + withinBin */
  brier: number;
  /** mean of n_k/n (predicted_k - observed_k)^2: 0 is calibrated */
  reliability: number;
  /** mean of n_k/n (observed_k - prevalence)^2: higher separates better */
  resolution: number;
  /** prevalence (1 - prevalence): what the cases alone give */
  uncertainty: number;
  /** within-bin variance of p less twice its covariance with the outcome; 0 where groups are distinct probabilities */
  withinBin: number;
  /** 1 - brier / uncertainty: 0 is no better than the prevalence, below 0 is worse */
  skill: number;
}

/**
 * Murphy's decomposition of the Brier score. Without `bins` cases are grouped by distinct probability, and the three parts add
 * up exactly; where hardly any probabilities are equal this makes each case its own group, and reliability and resolution
 * then say nothing by themselves. With `bins` the rest that binning leaves is `withinBin`.
 *
 * @param options.bins how many; `strategy` is of equal width unless 'quantile' is given
 * @throws MetricsError as `brierScore`, and `INVALID_OPTION`
 * @see Murphy 1973, J Appl Meteorol 12:595; Stephenson, Coelho and Jolliffe 2008, Weather Forecast 23:752
 * @example
 * brierDecomposition([0, 1, 1, 1], [0.5, 0.5, 1, 1]) // reliability 0, resolution 0.0625, uncertainty 0.1875
 */
export function brierDecomposition(
  labels: Values,
  probabilities: Values,
  { bins, strategy = 'uniform' }: { bins?: number; strategy?: BinStrategy } = {},
): BrierDecomposition {
  const { positives } = checkProbabilities(labels, probabilities);
  const cases = labels.length;
  const prevalence = positives / cases;
  const groups =
    bins === undefined
      ? distinctGroups(labels, probabilities)
      : calibrationBins(labels, probabilities, bins, strategy);
  let reliability = 0;
  let resolution = 0;
  for (const { count, predicted, observed } of groups) {
    reliability += (count / cases) * (predicted - observed) ** 2;
    resolution += (count / cases) * (observed - prevalence) ** 2;
  }
  const brier = brierScore(labels, probabilities);
  const uncertainty = prevalence * (1 - prevalence);
  return {
    brier,
    reliability,
    resolution,
    uncertainty,
    withinBin: bins === undefined ? 0 : brier - (reliability - resolution + uncertainty),
    skill: 1 - brier / uncertainty,
  };
}

function distinctGroups(
  labels: Values,
  probabilities: Values,
): { count: number; predicted: number; observed: number }[] {
  const table = new Map<number, { count: number; positives: number }>();
  for (let i = 0; i < labels.length; i++) {
    const group = table.get(probabilities[i]!) ?? { count: 0, positives: 0 };
    group.count++;
    group.positives += labels[i]!;
    table.set(probabilities[i]!, group);
  }
  return Array.from(table, ([predicted, { count, positives }]) => ({
    count,
    predicted,
    observed: positives / count,
  }));
}
