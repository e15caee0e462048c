import type { CohortCase } from '@onco-response/cohort';
import { type AttentionCase, renderReport } from '@onco-response/report';
import type { ResponseModel } from '@onco-response/response-model';
import { type CaseTokens, readCase } from './case-tokens.js';
import type { TrainingState } from './checkpoint.js';
import type { Evaluation } from './evaluation.js';
import { groupWarnings } from './group-warnings.js';
import type { RunRecord } from './run-record.js';
import type { Study } from './study.js';
import type { CasesBySplit } from './study-folds.js';
import type { SyntheticOrigin } from './synthetic-origin.js';
import { predictCase } from './trainer.js';

interface StudyReportInput {
  study: Study;
  origin: SyntheticOrigin | undefined;
  bySplit: CasesBySplit;
  evaluation: Evaluation;
  state: TrainingState;
  record: RunRecord;
  model: ResponseModel;
  tokens: CaseTokens;
}

/** The study's report as one HTML file. */
export async function studyReport(input: StudyReportInput): Promise<string> {
  const { study, origin, bySplit, evaluation, state, record, tokens } = input;
  const { labels, clusters } = evaluation;
  const all = Object.values(bySplit).flat();
  return renderReport({
    title: study.name,
    synthetic: origin !== undefined,
    positiveClass: study.positiveClass,
    target: study.target,
    cohort: {
      ...countCases(all),
      perSplit: Object.entries(bySplit).map(([split, cases]) => ({ split, ...countCases(cases) })),
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
    attention: await attentionCases(input),
    run: flatten(
      { ...record.provenance, encoder: record.encoder, processor: record.processor, cores: record.cores },
      record,
    ),
    warnings: groupWarnings(
      all.flatMap(({ caseId }) => tokens.facts(caseId).warnings.map((text) => ({ caseId, text }))),
    ),
    notes: [
      'Probabilities are calibrated by Platt scaling on validation cases; the threshold was chosen there too.',
      'Confidence intervals resample test patients with all their cases.',
    ],
  });
}

/** The surest right and wrong test cases and the least certain ones, with their slices and attention. */
async function attentionCases({
  study,
  bySplit,
  evaluation,
  model,
  tokens,
}: StudyReportInput): Promise<AttentionCase[]> {
  const ranked = bySplit.test
    .map((each, i) => ({ each, probability: evaluation.probabilities[i] as number }))
    .sort((a, b) => b.probability - a.probability);
  const shown = [...new Set(spread(ranked.length, study.evaluation.attentionCases))].map((i) => ranked[i]!);
  const pages: AttentionCase[] = [];
  for (const { each, probability } of shown) {
    const { volume, lesion } = await readCase(each);
    const { attention } = await predictCase(model, await tokens.read(each.caseId), each);
    const slices = model.slices(volume, lesion);
    const area = slices.imageSize ** 2;
    pages.push({
      caseLabel: each.caseId,
      label: each.label,
      probability,
      slices: slices.sliceIndices.map((index, s) => ({
        index,
        weight: attention[s] as number,
        size: slices.imageSize,
        pixels: slices.windowed.slice(s * area, (s + 1) * area),
        lesion: slices.lesion.slice(s * area, (s + 1) * area),
      })),
    });
  }
  return pages;
}

/** `count` places from the first to the last of `length`. */
function spread(length: number, count: number): number[] {
  if (count <= 1) return length > 0 && count === 1 ? [0] : [];
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)));
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
