import { decimal, levelPercent, pValue, withInterval } from './format-number.js';
import type { MeasuredReport } from './report-model.js';

/** Sentences that several checklist items and the model card say, each from the run alone. */

export const splitFact = ({ cohort }: MeasuredReport): string =>
  `${cohort.cases} cases of ${cohort.patients} patients, ${cohort.positives} positive: ${cohort.perSplit
    .map(
      ({ split, cases, patients, positives }) =>
        `${split} ${cases} cases (${patients} patients, ${positives} positive)`,
    )
    .join('; ')}.`;

/** Undefined when patients may be in several parts. */
export const disjointFact = ({ cohort }: MeasuredReport): string | undefined =>
  cohort.perSplit.length > 1 &&
  cohort.perSplit.reduce((sum, part) => sum + part.patients, 0) === cohort.patients
    ? 'Parts are disjoint by patient: their patients add up to those of the cohort.'
    : undefined;

export const outcomeFact = ({ positiveClass }: MeasuredReport): string => `Positive class: ${positiveClass}.`;

export const measuresFact = ({
  bootstrap,
  main,
  baselines,
  subgroupResults,
  decisionAnalysis,
}: MeasuredReport): string =>
  [
    'Discrimination: ROC-AUC (bootstrap and DeLong), average precision, ROC and precision-recall curves.',
    main.evaluation.calibrationBins === null
      ? ''
      : 'Calibration: plot in ten bins, slope and intercept, calibration in the large, expected calibration error, Brier score.',
    'At the threshold: confusion matrix, sensitivity, specificity, predictive values (Wilson), F1, balanced accuracy.',
    typeof decisionAnalysis === 'string' ? '' : 'Clinical utility: decision curve and actions avoided.',
    baselines.length === 0
      ? ''
      : `Comparison with ${baselines.length} baselines: paired bootstrap, DeLong with Holm, McNemar.`,
    subgroupResults.length === 0
      ? ''
      : `Subgroups: ${subgroupResults.map(({ column }) => column).join(', ')}.`,
    `Intervals: ${levelPercent(bootstrap.level)}%, ${bootstrap.resamples} stratified resamples${main.clusters === undefined ? '' : ' of whole patients'}, seed ${bootstrap.seed}.`,
  ]
    .filter(Boolean)
    .join(' ');

export const performanceFact = ({ main, baselines, subgroupResults }: MeasuredReport): string => {
  const { evaluation } = main;
  const measured = subgroupResults
    .flatMap(({ groups }) => groups)
    .filter(({ rocAuc }) => rocAuc !== null).length;
  return [
    `${main.name}: ROC-AUC ${withInterval(evaluation.rocAuc)}, average precision ${withInterval(evaluation.prAuc)}, sensitivity ${withInterval(evaluation.sensitivity, 2)} and specificity ${withInterval(evaluation.specificity, 2)} at ${decimal(evaluation.threshold, 3)}.`,
    ...baselines.map(
      ({ name, difference, delong }) =>
        `Minus ${name}: ${withInterval(difference)}${delong === null ? '' : `, DeLong ${pValue(delong.p)}`}.`,
    ),
    ...(subgroupResults.length === 0 ? [] : [`${measured} subgroups measured.`]),
  ].join(' ');
};

export const thresholdFact = ({ main, threshold }: MeasuredReport): string =>
  `A score between 0 and 1${main.evaluation.calibration === null ? '' : ', read as a probability'}; positive from ${decimal(main.evaluation.threshold, 3)} on. The threshold was chosen on ${threshold.chosenOn} cases: ${threshold.rule}.${threshold.target === undefined ? '' : ` Target: ${threshold.target}.`}`;

export const modelFact = ({ main }: MeasuredReport): string | undefined =>
  main.description === undefined ? undefined : `${main.name}: ${main.description}`;

/** Versions and hashes as they were recorded. */
export const softwareFact = ({ run }: MeasuredReport): string | undefined => {
  const entries = Object.entries(run);
  return entries.length === 0 ? undefined : entries.map(([name, value]) => `${name}: ${value}`).join('; ');
};

export const robustnessFact = ({ stress = [] }: MeasuredReport): string | undefined =>
  stress.length === 0
    ? undefined
    : stress
        .map(
          ({ name, aucChange, flips, cases }) =>
            `${name}: AUC ${aucChange.estimate > 0 ? '+' : ''}${decimal(aucChange.estimate)}, ${flips} of ${cases} calls flipped`,
        )
        .join('; ');

export const explanationFact = ({ attention, explanation }: MeasuredReport): string | undefined => {
  const methods = [
    attention.length > 0 ? 'attention over slices' : '',
    ...new Set((explanation?.maps ?? []).map(({ method }) => method)),
    explanation?.sanityChecks?.length ? 'randomised-weights check' : '',
    explanation?.nearest?.length ? 'nearest training cases' : '',
    explanation?.importance?.length ? 'permutation importance' : '',
  ].filter(Boolean);
  return methods.length === 0 ? undefined : `${methods.join(', ')}.`;
};

export const fairnessFact = ({ subgroupResults }: MeasuredReport): string | undefined =>
  subgroupResults.length === 0
    ? undefined
    : subgroupResults
        .map(({ column, equalisedOdds }) =>
          equalisedOdds === null
            ? `${column}: too few cases to compare`
            : `${column}: equalised-odds gap ${withInterval(equalisedOdds.gap, 2)}`,
        )
        .join('; ');

export const sampleFact = ({ cohort, main }: MeasuredReport): string =>
  `${cohort.cases} cases with ${cohort.positives} positive; evaluated on ${main.evaluation.cases} cases with ${main.evaluation.positives} positive. Why this number, and whether it was enough, has to be said by the authors.`;

/** Cases called wrong at the threshold. */
export const failureFact = ({ main }: MeasuredReport): string => {
  const { fp, fn } = main.evaluation.confusion;
  return `${fp} false positives and ${fn} false negatives at the threshold.`;
};

export const syntheticFact = ({ synthetic }: MeasuredReport): string | undefined =>
  synthetic ? 'SYNTHETIC DATA, generated by a computer.' : undefined;
