import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type CohortCase, checkSplits, type Splits, splitPatients } from '@onco-response/cohort';
import { readManifest } from '@onco-response/cohort/node';
import { loadVit } from '@onco-response/encoder';
import { type EngineInfo, RandomStream, startEngine } from '@onco-response/engine';
import { ResponseModel } from '@onco-response/response-model';
import { saveBundle } from '@onco-response/response-model/node';
import { CaseTokens } from './case-tokens.js';
import { cacheFolder, encoderDirectory } from './encoder-store.js';
import { evaluateStudy } from './evaluation.js';
import { predictionsCsv } from './predictions-csv.js';
import { runRecord } from './run-record.js';
import { type LoadedStudy, loadStudy } from './study.js';
import { studyReport } from './study-report.js';
import { syntheticOrigin } from './synthetic-origin.js';
import { trainModel } from './trainer.js';
import { writeOutput } from './write-output.js';

export interface FitOptions {
  configPath: string;
  out: string;
  /** Asked between cases and between steps: true saves the state and stops. */
  interrupted?: () => boolean;
}

/** Cases of each split, in the order of the manifest. */
export type CasesBySplit = Record<'train' | 'validation' | 'test', CohortCase[]>;

/**
 * One study from its file to a report: splits, cached slices, training, calibration on validation cases, evaluation on
 * test cases. Every step finds what an earlier process left in `out` and in the cache; a finished study is only
 * evaluated again.
 */
export async function fit({ configPath, out, interrupted = () => false }: FitOptions): Promise<void> {
  const loaded = await loadStudy(configPath);
  const { study } = loaded;
  const say = (text: string) => console.error(text);
  const manifestPath = resolve(loaded.folder, study.cohort);
  const manifest = await readManifest(manifestPath);
  const cases = choosePatients(manifest.cases, study.patients, study.seed);
  const origin = await syntheticOrigin(dirname(manifestPath));
  const splits = await studySplits(join(out, 'splits.json'), cases, loaded);
  const bySplit = casesBySplit(cases, splits);
  say(
    `${study.name}: ${cases.length} ${origin ? 'SYNTHETIC ' : ''}cases; train ${bySplit.train.length}, validation ${bySplit.validation.length}, test ${bySplit.test.length}`,
  );

  const engine = await startEngine({
    backend: 'tensorflow',
    threads: study.threads ?? availableParallelism(),
    seed: study.seed,
  });
  say(`engine: ${engine.library}, ${engine.threads} threads, oneDNN ${engine.oneDnn ? 'on' : 'off'}`);
  const encoderPath = encoderDirectory(study.encoder, loaded.folder);
  const model = new ResponseModel({ recipe: study.model, vit: await loadVit(encoderPath), seed: study.seed });

  const tokens = new CaseTokens({
    folder: join(cacheFolder(), 'slices'),
    precision: study.cachePrecision,
    engine,
  });
  await tokens.prepare(cases, model, interrupted);
  const identity = identityOf(
    loaded,
    splits,
    engine,
    model,
    cases.map(({ caseId }) => tokens.facts(caseId).key),
  );
  const state = await trainModel({
    model,
    study,
    tokens,
    train: bySplit.train,
    validation: bySplit.validation,
    checkpointPath: join(out, 'checkpoint.safetensors'),
    identity,
    interrupted,
  });
  const last = state.history.at(-1);
  say(
    `trained ${state.history.length} epochs, best ${state.best?.epoch}; last validation AUC ${last?.validationAuc.toFixed(3)}`,
  );

  const evaluation = await evaluateStudy({ model, study, tokens, bySplit });
  const record = runRecord({ engine, identity, loaded, splits, model, state, encoderPath });
  const summary = {
    name: study.name,
    synthetic: origin !== undefined,
    positiveClass: study.positiveClass,
    reachableAuc: origin?.reachableAuc ?? null,
    bestEpoch: state.best?.epoch ?? null,
    ...evaluation.metrics,
    splitsSha256: splits.sha256,
  };
  await saveBundle(
    join(out, 'bundle'),
    model,
    {
      name: study.name,
      synthetic: origin !== undefined,
      positiveClass: study.positiveClass,
      target: study.target,
      calibration: evaluation.calibration,
      threshold: { value: evaluation.threshold, rule: evaluation.thresholdRule },
      provenance: record.provenance,
    },
    encoderPath,
  );
  await writeOutput(join(out, 'predictions.csv'), predictionsCsv(evaluation.predictions));
  await writeOutput(join(out, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
  await writeOutput(
    join(out, 'report.html'),
    await studyReport({ study, origin, bySplit, evaluation, state, record, model, tokens }),
  );
  await writeOutput(join(out, 'metrics.json'), `${JSON.stringify(summary, null, 2)}\n`);
  model.dispose();
  const { rocAuc } = evaluation.metrics.model;
  say(
    `test AUC ${rocAuc.estimate.toFixed(3)} [${rocAuc.lower.toFixed(3)}, ${rocAuc.upper.toFixed(3)}]` +
      `${origin ? `, best reachable ${origin.reachableAuc.toFixed(3)}` : ''}, volume only ${evaluation.metrics.volumeOnly.rocAuc.estimate.toFixed(3)}`,
  );
  say(`report: ${join(out, 'report.html')}`);
}

/** The first `count` patients of a seeded order, with all their cases; everybody where `count` is null. */
function choosePatients(cases: readonly CohortCase[], count: number | null, seed: number): CohortCase[] {
  const patients = [...new Set(cases.map(({ patientId }) => patientId))];
  if (count === null || count >= patients.length) return [...cases];
  const chosen = new Set(new RandomStream(seed, 'patients').shuffle(patients).slice(0, count));
  return cases.filter(({ patientId }) => chosen.has(patientId));
}

async function studySplits(path: string, cases: CohortCase[], { study }: LoadedStudy): Promise<Splits> {
  if (existsSync(path)) return checkSplits(JSON.parse(await readFile(path, 'utf8')), cases);
  const splits = await splitPatients(cases, { ...study.splits, seed: study.seed });
  await writeOutput(path, `${JSON.stringify(splits, null, 2)}\n`);
  return splits;
}

function casesBySplit(cases: readonly CohortCase[], splits: Splits): CasesBySplit {
  const of = (name: keyof CasesBySplit) => {
    const ids = new Set(splits.cases[name]);
    return cases.filter(({ caseId }) => ids.has(caseId));
  };
  return { train: of('train'), validation: of('validation'), test: of('test') };
}

/** A hash of all that decides the trained weights. */
function identityOf(
  { hash }: LoadedStudy,
  splits: Splits,
  { library, threads }: EngineInfo,
  model: ResponseModel,
  keys: readonly string[],
): string {
  return createHash('sha256')
    .update(JSON.stringify([hash, splits.sha256, library, threads, model.vit.weightsSha256, keys]))
    .digest('hex');
}
