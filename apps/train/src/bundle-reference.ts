import { quantile } from '@onco-response/metrics';
import type { BundleReference } from '@onco-response/response-model';
import type { Prediction } from './predict-trial.js';

const BINS = 10;

/**
 * What a bundle tells of the cases behind it, as counts and quantiles.
 * @param training the training cases' labels and lesion volumes
 * @param predictions of the trial; its test cases are used
 */
export function bundleReference(
  training: readonly { label: 0 | 1; lesionVolumeMm3: number }[],
  predictions: readonly Prediction[],
  threshold: number,
): BundleReference {
  const volumes = training.map(({ lesionVolumeMm3 }) => lesionVolumeMm3).sort((a, b) => a - b);
  return {
    training: {
      cases: training.length,
      positives: training.filter(({ label }) => label === 1).length,
      lesionVolumeQuantilesMm3: Array.from({ length: 101 }, (_, percent) => quantile(volumes, percent / 100)),
    },
    test: ofTestCases(
      predictions.filter(({ split }) => split === 'test'),
      threshold,
    ),
  };
}

function ofTestCases(test: readonly Prediction[], threshold: number): BundleReference['test'] {
  if (test.length === 0) return null;
  const bins = Array.from({ length: BINS }, () => ({ cases: 0, positives: 0 }));
  for (const { label, probability } of test) {
    const bin = bins[Math.min(Math.floor(probability * BINS), BINS - 1)] as (typeof bins)[number];
    bin.cases++;
    bin.positives += label;
  }
  const called = (label: 0 | 1, positive: boolean) =>
    test.filter((each) => each.label === label && each.probability >= threshold === positive).length;
  return {
    bins,
    truePositives: called(1, true),
    falsePositives: called(0, true),
    trueNegatives: called(0, false),
    falseNegatives: called(1, false),
  };
}
