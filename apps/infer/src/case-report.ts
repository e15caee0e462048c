import { wilsonCi } from '@onco-response/metrics';
import { type AttentionSlice, type CaseReportInput, renderCaseReport } from '@onco-response/report';
import type { BundleReference } from '@onco-response/response-model';
import type { Prediction } from './predict.js';
import type { Strangeness } from './strangeness.js';

/** The page that a person reads of one prediction, as HTML. */
export function caseReport(
  prediction: Prediction,
  slices: readonly AttentionSlice[],
  reference: BundleReference | undefined,
): string {
  const { probability, mask, engine } = prediction;
  const test = reference?.test ?? null;
  const { similar, reached } = test ? heldAgainst(test, probability) : {};
  return renderCaseReport({
    title: prediction.model,
    synthetic: prediction.syntheticModel,
    caseLabel: 'this case',
    positiveClass: prediction.positiveClass,
    target: prediction.target,
    model: { name: prediction.model },
    probability,
    calibration: {
      calibrated: true,
      method: 'Platt scaling',
      fittedOn: 'validation cases',
      ...(similar && { similar }),
    },
    ...(reference && { prevalence: reference.training.positives / reference.training.cases }),
    threshold: {
      value: prediction.threshold,
      rule: prediction.thresholdRule,
      chosenOn: 'validation',
      ...(reached && { reached }),
    },
    slices,
    lesion: {
      volumeMm3: prediction.lesionVolumeMm3,
      source: mask.source === 'given' ? 'a mask that was given' : 'a mask derived by a segmentation network',
      ...(reference && volumeAmong(reference.training, prediction.lesionVolumeMm3)),
    },
    ...(prediction.strangeness && { distribution: distributionOf(prediction.strangeness) }),
    run: {
      'recipe, sha256': prediction.recipeSha256,
      backend: engine.backend,
      library: engine.library,
      device: engine.deviceName ?? engine.device,
      threads: engine.threads ?? 'as the library chooses',
    },
    warnings: prediction.warnings,
  });
}

function distributionOf({
  distance,
  limit,
  strangerThan,
  trainingCases,
  validationCases,
}: Strangeness): NonNullable<CaseReportInput['distribution']> {
  return {
    method: `Mahalanobis distance of the embedding from ${trainingCases} training cases (Ledoit-Wolf covariance)`,
    score: distance,
    threshold: limit,
    rule: `95 % of ${validationCases} validation cases are nearer`,
    strangerThan,
  };
}

type TestCases = NonNullable<BundleReference['test']>;

function heldAgainst(
  { bins, truePositives, falsePositives, trueNegatives, falseNegatives }: TestCases,
  probability: number,
) {
  const at = Math.min(Math.floor(probability * bins.length), bins.length - 1);
  const bin = bins[at] as TestCases['bins'][number];
  const share = (successes: number, others: number) => {
    const total = successes + others;
    return total === 0 ? null : { successes, total, ...wilsonCi(successes, total) };
  };
  const sensitivity = share(truePositives, falseNegatives);
  const specificity = share(trueNegatives, falsePositives);
  const reached: NonNullable<CaseReportInput['threshold']['reached']> = {
    of: 'test cases',
    ...(sensitivity && { sensitivity }),
    ...(specificity && { specificity }),
    positivePredictiveValue: share(truePositives, falsePositives),
    negativePredictiveValue: share(trueNegatives, falseNegatives),
  };
  const similar =
    bin.cases > 0
      ? { lower: at / bins.length, upper: (at + 1) / bins.length, ...bin, of: 'test cases' }
      : undefined;
  return { reached, similar };
}

/** Where a volume stands among those of the training cases. */
function volumeAmong(
  { lesionVolumeQuantilesMm3: quantiles }: BundleReference['training'],
  volumeMm3: number,
) {
  const smaller = quantiles.filter((value) => value < volumeMm3).length;
  return {
    largerThan: smaller / quantiles.length,
    usualMm3: [quantiles[5] as number, quantiles[95] as number] as const,
  };
}
