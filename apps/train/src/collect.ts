import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ablationCsv, ablationTable } from './ablation-table.js';
import { writeReport } from './kept-report.js';
import type { CollectedTrial } from './pool-cases.js';
import { chooseOnInnerFolds, evaluatePooled, type PooledEvaluation } from './pooled-evaluation.js';
import { pooledReport } from './pooled-report.js';
import { pooledPredictionsCsv, readPredictions } from './predictions-csv.js';
import type { RunRecord } from './run-record.js';
import {
  describeTrial,
  isSingle,
  patientsByCase,
  readPlan,
  type StudyPlan,
  type Trial,
  trialFolder,
} from './study-plan.js';
import { TrainError } from './train-error.js';
import type { TrialResult } from './trial.js';
import { liveHeartbeat, readFailure, readResult } from './trial-journal.js';
import { writeOutput } from './write-output.js';

/** One row of the table: a variant, or the choice that nested cross-validation made. */
export interface StudyRow {
  name: string;
  evaluation: PooledEvaluation;
  trials: CollectedTrial[];
}

export interface CollectedStudy {
  plan: StudyPlan;
  rows: StudyRow[];
  /** Nested cross-validation: which variant was chosen for each outer fold. */
  chosen: Map<string, string> | undefined;
  /** What each trial ran on, and its training curve, by its id. */
  records: ReadonlyMap<string, RunRecord>;
  /** What ran the first trial, and the seconds of training of all of them. */
  record: RunRecord;
  trainingSeconds: number;
}

/** Trials that `collect` names in its refusal. */
const NAMED = 20;

/**
 * Merges the trials of a study: out-of-fold predictions, pooled numbers, the table of variants, the report. The same
 * trials give the same bytes, whichever processes ran them.
 *
 * @returns the table, as Markdown
 * @throws TrainError INCOMPLETE naming the trials that are not done, STUDY_CHANGED for predictions that were edited
 */
export async function collectStudy(out: string): Promise<string> {
  const plan = await readPlan(out);
  const results = await doneTrials(plan);
  if (isSingle(plan)) return `${out}: its one trial is done; report: ${join(out, 'report.html')}`;
  const trials = await Promise.all(
    plan.trials.map(async (trial, i): Promise<CollectedTrial & { trial: Trial }> => {
      const result = results[i] as TrialResult;
      return { trial, result, predictions: await checkedPredictions(plan, trial, result) };
    }),
  );
  const records = await Promise.all(
    plan.trials.map(
      async (trial): Promise<RunRecord> =>
        JSON.parse(await readFile(join(trialFolder(plan, trial), 'run.json'), 'utf8')),
    ),
  );
  const study: CollectedStudy = {
    plan,
    ...evaluateRows(plan, trials),
    records: new Map(plan.trials.map(({ trialId }, i) => [trialId, records[i] as RunRecord])),
    record: records[0] as RunRecord,
    trainingSeconds: records.reduce((sum, { trainingSeconds }) => sum + trainingSeconds, 0),
  };
  const outer = trials.filter(({ result }) => result.innerOf === null);
  await writeOutput(join(out, 'predictions.csv'), pooledPredictionsCsv(outer));
  await writeOutput(join(out, 'ablation.csv'), ablationCsv(study.rows));
  await writeOutput(join(out, 'run.json'), `${JSON.stringify(collectedRecord(study), null, 2)}\n`);
  await writeReport(out, await pooledReport(study));
  await writeOutput(join(out, 'metrics.json'), `${JSON.stringify(metricsOf(study), null, 2)}\n`);
  return ablationTable(study.rows);
}

async function doneTrials(plan: StudyPlan): Promise<TrialResult[]> {
  const states = await Promise.all(
    plan.trials.map(async (trial) => {
      const folder = trialFolder(plan, trial);
      const result = await readResult<TrialResult>(folder);
      if (result?.trialId === trial.trialId) return { result, finding: '' };
      const failure = await readFailure(folder);
      const live = await liveHeartbeat(folder);
      const finding = live
        ? 'is running'
        : failure
          ? `failed: [${failure.code}] ${failure.message}`
          : 'is not done';
      return { result: undefined, finding: `trial ${trial.index} (${describeTrial(trial)}) ${finding}` };
    }),
  );
  const missing = states.filter(({ result }) => !result);
  if (missing.length === 0) return states.map(({ result }) => result as TrialResult);
  const more = missing.length > NAMED ? [`and ${missing.length - NAMED} more`] : [];
  throw new TrainError({
    code: 'INCOMPLETE',
    message: [
      `${plan.out}: ${missing.length} of ${plan.trials.length} trials are not done; run them (onco-train trial --out ${plan.out} --index N, or onco-train fit again) and collect once more`,
      ...missing.slice(0, NAMED).map(({ finding }) => `  ${finding}`),
      ...more,
    ].join('\n'),
  });
}

/** A trial's predictions, of exactly the cases that its fold tests. */
async function checkedPredictions(plan: StudyPlan, trial: Trial, result: TrialResult) {
  const path = join(trialFolder(plan, trial), 'predictions.csv');
  const text = await readFile(path, 'utf8').catch(() => '');
  const refuse = (finding: string) =>
    new TrainError({
      code: 'STUDY_CHANGED',
      message: `${path} ${finding}: remove ${trialFolder(plan, trial)} and run trial ${trial.index} again`,
    });
  if (createHash('sha256').update(text).digest('hex') !== result.predictionsSha256) {
    throw refuse('is not what its trial wrote (its sha256 differs)');
  }
  const predictions = readPredictions(text);
  const tested = predictions.filter(({ split }) => split === 'test').map(({ caseId }) => caseId);
  const fold = plan.folds.find(({ name }) => name === trial.fold);
  if ([...tested].sort().join() !== [...(fold?.test ?? [])].sort().join()) {
    throw refuse(`does not hold the test cases of ${trial.fold}`);
  }
  return predictions;
}

function evaluateRows(
  plan: StudyPlan,
  trials: readonly CollectedTrial[],
): Pick<CollectedStudy, 'rows' | 'chosen'> {
  const { study, splitSeed } = plan.trials[0] as Trial;
  const { resamples, level } = study.evaluation;
  const options = { bootstrap: { resamples, level, seed: splitSeed }, patientOf: patientsByCase(plan) };
  const names = [...new Set(plan.trials.map(({ variant }) => variant))];
  const variants = new Map(
    names.map((name) => [name, trials.filter(({ result }) => result.variant === name)] as const),
  );
  const outer = (each: readonly CollectedTrial[]) => each.filter(({ result }) => result.innerOf === null);
  const first = outer(variants.get(names[0] as string) as CollectedTrial[]);
  const rows = names.map((name, i): StudyRow => {
    const own = i === 0 ? first : outer(variants.get(name) as CollectedTrial[]);
    return { name, trials: own, evaluation: evaluatePooled(own, first, options) };
  });
  const nested = study.splits.scheme === 'nested' && names.length > 1;
  if (!nested) return { rows, chosen: undefined };
  const chosen = chooseOnInnerFolds(variants);
  const own = outer(trials).filter(({ result }) => chosen.get(result.fold) === result.variant);
  const evaluation = evaluatePooled(own, first, options);
  return { rows: [...rows, { name: 'chosen on the inner folds', trials: own, evaluation }], chosen };
}

function metricsOf({ plan, rows, chosen }: CollectedStudy) {
  const { study } = plan.trials[0] as Trial;
  const [first] = rows as [StudyRow];
  const { againstFirst: _, ...evaluation } = first.evaluation;
  return {
    name: study.name,
    synthetic: plan.origin !== undefined,
    positiveClass: study.positiveClass,
    reachableAuc: plan.origin?.reachableAuc ?? null,
    scheme: study.splits.scheme ?? 'holdOut',
    trials: plan.trials.length,
    seeds: [...new Set(plan.trials.map(({ seed }) => seed))],
    ...evaluation,
    variants: rows.slice(1).map(({ name, evaluation: each }) => ({ name, ...each })),
    ...(chosen && { chosen: Object.fromEntries(chosen) }),
    splitsSha256: plan.splitsSha256,
  };
}

function collectedRecord({ plan, record, trainingSeconds }: CollectedStudy) {
  const { identity: _, seed: __, studySha256: ___, ...provenance } = record.provenance;
  return {
    provenance,
    collectedAt: new Date().toISOString(),
    trainingSeconds,
    masks: record.masks,
    trials: plan.trials.map(({ trialId, variant, fold, seed }) => ({ trialId, variant, fold, seed })),
  };
}
