import type { CohortCase } from '@onco-response/cohort';
import type { ReportInput } from '@onco-response/report';
import { attentionPages } from './attention-pages.js';
import type { CaseAttention } from './case-attention.js';
import type { CaseTokens } from './case-tokens.js';
import type { TrainingState } from './checkpoint.js';
import { baselineModels } from './evaluate-baselines.js';
import type { Evaluation } from './evaluation.js';
import { groupWarnings } from './group-warnings.js';
import type { KeptReport } from './kept-report.js';
import { leftOutPart, maskFindings, maskWarnings } from './mask-summary.js';
import type { TrialPredictions } from './predict-trial.js';
import type { RunRecord } from './run-record.js';
import type { Study } from './study.js';
import type { CasesBySplit } from './study-folds.js';
import type { StudyPlan } from './study-plan.js';
import { cohortValue, subgroupColumns } from './subgroups.js';
import type { SyntheticOrigin } from './synthetic-origin.js';

interface StudyReportInput {
  study: Study;
  plan: StudyPlan;
  origin: SyntheticOrigin | undefined;
  bySplit: CasesBySplit;
  predicted: TrialPredictions;
  evaluation: Evaluation;
  state: TrainingState;
  record: RunRecord;
  tokens: CaseTokens;
}

/** The report of a study that is one trial. */
export async function studyReport(input: StudyReportInput): Promise<KeptReport> {
  const { plan, study, origin, bySplit, predicted, evaluation, state, record, tokens } = input;
  const { labels, clusters } = evaluation;
  const all = Object.values(bySplit).flat();
  const report: ReportInput = {
    title: study.name,
    synthetic: origin !== undefined,
    positiveClass: study.positiveClass,
    target: study.target,
    cohort: {
      ...countCases([...all, ...plan.leftOut]),
      perSplit: [
        ...Object.entries(bySplit).map(([split, cases]) => ({ split, ...countCases(cases) })),
        ...leftOutPart(plan.leftOut, all),
      ],
    },
    models: [
      {
        name: 'Model',
        description: describeModel(study),
        labels,
        clusters,
        scores: evaluation.probabilities,
        evaluation: evaluation.metrics.model,
      },
      {
        name: 'Lesion volume only',
        description: 'logistic regression on the logarithm of the lesion volume, fitted on training cases',
        labels,
        clusters,
        scores: evaluation.volumeProbabilities,
        evaluation: evaluation.metrics.volumeOnly,
        baseline: true,
      },
      ...baselineModels(
        evaluation.metrics.baselines,
        labels.map((label, i) => ({
          label,
          cluster: clusters[i] as string,
          ...(evaluation.baselines[i] && { baselines: evaluation.baselines[i] }),
        })),
      ),
    ],
    threshold: { value: evaluation.threshold, chosenOn: 'validation', rule: evaluation.thresholdRule },
    bootstrap: evaluation.bootstrap,
    ...(origin && { reachableAuc: { value: origin.reachableAuc, description: origin.description } }),
    history: state.history.map(({ epoch, trainLoss, validationAuc }) => ({
      epoch,
      trainLoss,
      validationAuc,
      kept: epoch === state.best?.epoch,
    })),
    subgroups: subgroupColumns(bySplit.test, study.evaluation.subgroups, cohortValue),
    attention: await attentionPages(
      bySplit.test.map((each, i) => ({
        each,
        probability: evaluation.probabilities[i] as number,
        attention: predicted.attention[i] as CaseAttention,
      })),
      study,
    ),
    run: flatten(
      { ...record.provenance, encoder: record.encoder, processor: record.processor, cores: record.cores },
      record,
    ),
    study: { modelKind: 'deepLearning' },
    warnings: [
      ...maskWarnings(plan),
      ...groupWarnings([
        ...all.flatMap(({ caseId }) => tokens.facts(caseId).warnings.map((text) => ({ caseId, text }))),
        ...maskFindings(plan.masks, all),
      ]),
    ],
    notes: [
      'Probabilities are calibrated by Platt scaling on validation cases; the threshold was chosen there too.',
      'Confidence intervals resample test patients with all their cases.',
    ],
  };
  return { input: report, caseIds: bySplit.test.map(({ caseId }) => caseId) };
}

export function countCases(cases: readonly CohortCase[]) {
  return {
    cases: cases.length,
    patients: new Set(cases.map(({ patientId }) => patientId)).size,
    positives: cases.filter(({ label }) => label === 1).length,
  };
}

export function describeModel({ encoder, model, loss }: Study): string {
  const blocks = model.encoder.adaptedBlocks;
  const adapted = blocks > 0 ? `LoRA r=${model.encoder.r} in its last ${blocks} blocks` : 'frozen';
  const terms = [
    loss.classification,
    ...(loss.contrastive ? ['supervised contrastive'] : []),
    ...(loss.hardNegatives ? [`hard negatives (${loss.hardNegativeMode})`] : []),
  ];
  return `${encoder}, ${adapted}; ${model.aggregation.kind} pooling over slices; loss: ${terms.join(' + ')}`;
}

export function flatten(
  record: Record<string, string | number | boolean | null>,
  { trainingSeconds, peakMemoryMib }: RunRecord,
): Record<string, string | number> {
  const printed = Object.entries(record).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : String(value),
  ]);
  return {
    ...Object.fromEntries(printed),
    'training time, s': Math.round(trainingSeconds),
    'peak memory, MiB': peakMemoryMib,
  };
}
