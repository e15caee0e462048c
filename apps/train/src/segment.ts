import { basename, join, resolve } from 'node:path';
import { startEngine } from '@onco-response/engine';
import manifest from '../package.json' with { type: 'json' };
import { readSegmentCohort, type SegmentCohort } from './segment-cohort.js';
import { diceOf, evaluateSegmentation, quantile, type SegmentedCase, summarise } from './segment-evaluate.js';
import { planSegmentation, prepareCases, sha256 } from './segment-prepare.js';
import { loadSegmentStudy, type SegmentStudy } from './segment-study.js';
import { json, trainSegmentation } from './segment-train.js';
import { markdownTable } from './table.js';
import { writeOutput } from './write-output.js';

export interface SegmentOptions {
  readonly configPath: string;
  readonly out: string;
  /** Another nnU-Net model's folder, to be run on the same test cases. */
  readonly compare?: string;
  /** Stop after preparing: plans, cases and split are written. */
  readonly planOnly?: boolean;
  readonly interrupted: () => boolean;
}

/**
 * Trains a segmentation network from a study file to numbers on held-out patients. Writes `model/` (what `loadNnUnet`
 * reads), `history.json`, `splits.json`, `predictions/`, `sheets/`, `metrics.json` and `run.json`.
 * @returns the results as a table in Markdown
 */
export async function runSegment(options: SegmentOptions): Promise<string> {
  const { configPath, out, compare, interrupted } = options;
  const study = await loadSegmentStudy(configPath);
  const engine = await startEngine({
    backend: 'tensorflow',
    seed: study.seed,
    gpu: study.gpu,
    ...(study.threads === undefined ? {} : { threads: study.threads }),
  });
  const cohort = await readSegmentCohort(study);
  const of = (name: string) => cohort.cases.filter(({ split }) => split === name);
  const [train, validation, test] = [of('train'), of('validation'), of('test')];
  console.error(
    `${study.name}: ${cohort.cases.length} ${study.synthetic ? 'SYNTHETIC ' : ''}cases; train ${train.length}, validation ${validation.length}, test ${test.length}`,
  );
  const planned = await planSegmentation(out, study, cohort.cases, cohort.sha256, interrupted);
  await writeOutput(join(out, 'splits.json'), json(splitsOf(cohort)));
  const { evaluation: _evaluation, name: _name, gpu: _gpu, ...trained } = study;
  const { cacheBytes, ...training } = trained.training;
  const identity = sha256([{ ...trained, training, cohort: null }, cohort.sha256, planned.sha256]);
  const both = await Promise.all(
    [train, validation].map((cases) => prepareCases(out, cases, planned, cacheBytes, interrupted)),
  );
  const [cases, held] = both as [(typeof both)[0], (typeof both)[0]];
  const run = {
    command: 'onco-train segment',
    version: manifest.version,
    identity,
    engine,
    study,
    preprocessed: cases.folder.slice(out.length + 1),
    trainCases: train.map(({ caseId }) => caseId),
    validationCases: validation.map(({ caseId }) => caseId),
  };
  await writeOutput(join(out, 'run.json'), json(run));
  const { patch_size: patch, spacing } = planned.configuration;
  console.error(`patch ${patch.join(' x ')} voxels of ${spacing.map((mm) => mm.toFixed(2)).join(' x ')} mm`);
  if (options.planOnly) return `planned: ${join(out, 'run.json')}`;

  const { best, seconds } = await trainSegmentation({
    out,
    study,
    planned,
    cases,
    validation: held,
    identity,
    interrupted,
  });
  const checkpoint = `checkpoint_${study.evaluation.checkpoint}.safetensors`;
  const own = await evaluateSegmentation({
    model: join(out, 'model'),
    out,
    study,
    cases: test,
    checkpoint,
    interrupted,
  });
  const labels = Object.keys(study.labels);
  const rows = [{ name: study.name, cases: own.cases }];
  const metrics = {
    name: study.name,
    synthetic: study.synthetic,
    patients: countPatients(cohort),
    best,
    'training time, s': Math.round(seconds),
    model: { ...own.model, model: 'model' },
    test: summarise(own.cases, labels),
    cases: own.cases,
  };
  if (compare !== undefined) {
    const name = basename(resolve(compare));
    const folder = join(out, 'compared', name);
    const other = await evaluateSegmentation({
      model: compare,
      out: folder,
      study,
      cases: test,
      interrupted,
    });
    rows.push({ name, cases: other.cases });
    const result = {
      model: other.model,
      test: summarise(other.cases, labels),
      paired: paired(own.cases, other.cases),
    };
    await writeOutput(join(folder, 'metrics.json'), json({ ...result, cases: other.cases }));
  }
  await writeOutput(join(out, 'metrics.json'), json(metrics));
  return tableOf(rows, study);
}

/** Dice of the first minus the second, case by case. */
function paired(first: readonly SegmentedCase[], second: readonly SegmentedCase[]) {
  const differences = first.flatMap((each, index) => {
    const [own, other] = [diceOf(each), diceOf(second[index] as SegmentedCase)];
    return own === null || other === null ? [] : [own - other];
  });
  return {
    cases: differences.length,
    medianDifference: quantile(differences, 0.5),
    better: differences.filter((value) => value > 0).length,
    worse: differences.filter((value) => value < 0).length,
  };
}

function tableOf(
  rows: readonly { name: string; cases: readonly SegmentedCase[] }[],
  study: SegmentStudy,
): string {
  const shown = (value: number | null, digits: number): string => value?.toFixed(digits) ?? 'not defined';
  const body = rows.flatMap(({ name, cases }) =>
    Object.entries(summarise(cases, Object.keys(study.labels))).map(([label, found]) => [
      name,
      label,
      `${shown(found.medianDice, 3)} [${found.diceQuartiles?.map((each) => each.toFixed(3)).join(', ') ?? ''}]`,
      shown(found.medianHausdorff95Mm, 2),
      `${shown(found.medianRelativeVolumeError === null ? null : 100 * found.medianRelativeVolumeError, 1)} %`,
      `${found.missed} of ${found.cases}`,
    ]),
  );
  return markdownTable([
    [
      study.synthetic ? 'SYNTHETIC' : '',
      'label',
      'Dice, median [quartiles]',
      'HD95, mm',
      'volume error',
      'missed',
    ],
    ...body,
  ]);
}

/** Names of cases only: no patient's. */
const splitsOf = ({ cases, sha256: cohortSha256 }: SegmentCohort) => ({
  cohortSha256,
  ...Object.fromEntries(
    ['train', 'validation', 'test'].map((name) => [
      name,
      cases.filter(({ split }) => split === name).map(({ caseId }) => caseId),
    ]),
  ),
});

const countPatients = ({ cases }: SegmentCohort): Record<string, number> =>
  Object.fromEntries(
    ['train', 'validation', 'test'].map((name) => [
      name,
      new Set(cases.filter(({ split }) => split === name).map(({ patientId }) => patientId)).size,
    ]),
  );
