import type { CohortCase } from '@onco-response/cohort';
import type { ReportInput } from '@onco-response/report';
import { type AttendedCase, attentionPages } from './attention-pages.js';
import { meanAttention, readAttention } from './case-attention.js';
import type { CollectedStudy, StudyRow } from './collect.js';
import { baselineModels } from './evaluate-baselines.js';
import type { KeptReport } from './kept-report.js';
import { leftOutPart } from './mask-summary.js';
import { caseThresholds, poolCases } from './pool-cases.js';
import { casesOfFold } from './study-folds.js';
import { patientsByCase, type Trial, trialFolder } from './study-plan.js';
import { countCases, describeModel, flatten } from './study-report.js';
import { cohortValue, subgroupColumns } from './subgroups.js';
import { showInterval, showP } from './table.js';
import { sayAucWithinFolds, sayDifferenceWithinFolds } from './within-folds.js';

/**
 * The report of a study of several trials: out-of-fold predictions, one model a variant; training curves and attention are
 * those of the first variant's trials.
 */
export async function pooledReport(collected: CollectedStudy): Promise<KeptReport> {
  const { plan, rows, chosen, record, trainingSeconds } = collected;
  const { study, splitSeed } = plan.trials[0] as Trial;
  const patientOf = patientsByCase(plan);
  const [first] = rows as [StudyRow];
  const pooled = poolCases(first.trials, 'test');
  const labels = pooled.map(({ label }) => label);
  const clusters = pooled.map(({ caseId }) => patientOf.get(caseId) as string);
  const caseOf = new Map(plan.cases.map((each) => [each.caseId, each]));
  const outer = plan.folds.filter(({ innerOf }) => innerOf === null);
  const studyOf = (name: string) => plan.trials.find(({ variant }) => variant === name)?.study;
  const { resamples, level } = study.evaluation;
  const input: ReportInput = {
    title: study.name,
    synthetic: plan.origin !== undefined,
    positiveClass: study.positiveClass,
    target: study.target,
    cohort: {
      ...countCases([...plan.cases, ...plan.leftOut]),
      perSplit: [
        ...outer.map((fold) => ({
          split: `${fold.name}, test`,
          ...countCases(casesOfFold(plan.cases, fold).test),
        })),
        ...leftOutPart(plan.leftOut, plan.cases),
      ],
    },
    models: [
      ...rows.map(({ name, evaluation, trials }, row) => {
        const of = studyOf(name);
        return {
          name,
          description: `${of ? describeModel(of) : 'for each test fold the variant with the largest AUC on its inner folds'}; ${trials.length} trials`,
          labels,
          clusters,
          scores: poolCases(trials, 'test').map(({ probability }) => probability),
          ...(row === 0 && { threshold: caseThresholds(trials, 'test').threshold }),
          evaluation: evaluation.model,
        };
      }),
      {
        name: 'Lesion volume only',
        description:
          'logistic regression on the logarithm of the lesion volume, fitted on training cases of each fold',
        labels,
        clusters,
        scores: pooled.map(({ volumeOnlyProbability }) => volumeOnlyProbability),
        evaluation: first.evaluation.volumeOnly,
        baseline: true,
      },
      ...baselineModels(
        first.evaluation.baselines,
        pooled.map((each, i) => ({ ...each, cluster: clusters[i] as string })),
      ),
    ],
    threshold: {
      value: first.evaluation.threshold,
      chosenOn: 'validation',
      rule: 'for each case by the models that never saw it: the largest Youden index on their validation cases; shown is the mean',
    },
    bootstrap: { resamples, level, seed: splitSeed },
    ...(plan.origin && {
      reachableAuc: { value: plan.origin.reachableAuc, description: plan.origin.description },
    }),
    subgroups: subgroupColumns(
      pooled.map(({ caseId }) => caseOf.get(caseId) as CohortCase),
      study.evaluation.subgroups,
      cohortValue,
    ),
    study: { modelKind: 'deepLearning' },
    history: trainingCurves(first, collected),
    attention: await attentionPages(await attendedCases(first, collected), study),
    run: {
      ...flatten(
        { ...record.provenance, encoder: record.encoder, processor: record.processor, cores: record.cores },
        { ...record, trainingSeconds },
      ),
      trials: plan.trials.length,
    },
    warnings: [...new Set(rows.flatMap(({ trials }) => trials.flatMap(({ result }) => result.warnings)))],
    notes: [
      'Every prediction is out of fold: by models that never saw the patient. Probabilities are calibrated by Platt scaling on the validation cases of each trial, and averaged over seeds and repetitions.',
      'Confidence intervals resample patients with all their cases.',
      `Training curves and attention are those of ${first.name}; a case that several of its models tested has their mean attention.`,
      ...first.evaluation.folds.map(
        ({ fold, cases, rocAuc }) =>
          `${first.name}, ${fold}: ${cases} cases, AUC ${rocAuc ? showInterval(rocAuc) : 'not defined: one class'}.`,
      ),
      ...rows
        .slice(1)
        .map(({ name, evaluation: { againstFirst } }) =>
          againstFirst
            ? `${name} against ${first.name}: AUC difference ${showInterval(againstFirst.difference)}, DeLong p ${againstFirst.delong ? showP(againstFirst.delong.p) : 'not defined'}.`
            : name,
        ),
      ...(first.evaluation.folds.length > 1 ? rows.flatMap((row) => withinFoldNotes(row, first)) : []),
      ...rows.flatMap(({ name, evaluation: { external } }) =>
        external
          ? [
              `${name} on ${external.model.cases} external cases (mean of ${first.trials.length} models): AUC ${showInterval(external.model.rocAuc)}.`,
            ]
          : [],
      ),
      ...(chosen
        ? [`Chosen on the inner folds: ${[...chosen].map(([fold, name]) => `${fold} ${name}`).join('; ')}.`]
        : []),
    ],
  };
  return { input, caseIds: pooled.map(({ caseId }) => caseId) };
}

function withinFoldNotes({ name, evaluation: { withinFolds, model } }: StudyRow, first: StudyRow): string[] {
  const { level } = model.bootstrap;
  return [
    sayAucWithinFolds(name, withinFolds.model, level),
    ...(withinFolds.againstFirst
      ? [sayDifferenceWithinFolds(name, first.name, withinFolds.againstFirst)]
      : [sayAucWithinFolds('Lesion volume only', withinFolds.volumeOnly, level)]),
    sayDifferenceWithinFolds(name, 'lesion volume only', withinFolds.modelAgainstVolumeOnly),
  ];
}

/** Every epoch of a row's trials. */
function trainingCurves({ trials }: StudyRow, { records }: CollectedStudy) {
  return trials.flatMap(({ result: { trialId, fold, seed, bestEpoch } }) =>
    (records.get(trialId)?.history ?? []).map(({ epoch, trainLoss, validationAuc }) => ({
      of: `${fold}, seed ${seed}`,
      epoch,
      trainLoss,
      validationAuc,
      kept: epoch === bestEpoch,
    })),
  );
}

/** The out-of-fold test cases with what the models that never saw them attended to. */
async function attendedCases(row: StudyRow, { plan }: CollectedStudy): Promise<AttendedCase[]> {
  const cases = new Map(plan.cases.map((each) => [each.caseId, each]));
  const perTrial = await Promise.all(
    row.trials.map(({ result: { trialId } }) =>
      readAttention(trialFolder(plan, plan.trials.find((trial) => trial.trialId === trialId) as Trial)),
    ),
  );
  const all = perTrial.flat();
  return poolCases(row.trials, 'test').flatMap(({ caseId, probability }) => {
    const each = cases.get(caseId);
    const attention = meanAttention(all.filter((own) => own.caseId === caseId));
    return each && attention ? [{ each, probability, attention }] : [];
  });
}
