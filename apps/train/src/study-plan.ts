import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { readManifest } from '@onco-response/cohort/node';
import { RandomStream } from '@onco-response/engine';
import { checkClinical, clinicalHash } from './clinical-values.js';
import {
  type DerivedMasks,
  type DeriveOptions,
  derivedMasksHash,
  deriveMasks,
  readDerivedMasks,
} from './derived-masks.js';
import { loadStudy, type Study } from './study.js';
import { type Fold, studyFolds } from './study-folds.js';
import { checkSubgroups } from './subgroups.js';
import { type SyntheticOrigin, syntheticOrigin } from './synthetic-origin.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** One row of `manifest.jsonl`: all that one process needs to know, beside `splits.json`. */
export interface Trial {
  index: number;
  /** Hash of everything that decides the result but the images' bytes and the machine: where the trial's files are. */
  trialId: string;
  variant: string;
  fold: string;
  seed: number;
  splitsSha256: string;
  /** Hash of the values of the study's clinical columns, where it names any. */
  clinicalSha256?: string;
  /** Hash of the masks that were derived, where the cohort left some empty. */
  masksSha256?: string;
  /** The seed that patients and folds were drawn with: the same for all trials. */
  splitSeed: number;
  /** Paths inside the study are relative to this folder. */
  studyFolder: string;
  study: Study;
}

/** The cohort that all trials of a study share. */
export interface StudyCases {
  cases: CohortCase[];
  /** Cases of the external cohort, named `external-0001` and so on. */
  external: CohortCase[];
  /** Cases in whose derived mask no lesion was found, where the study leaves them out. */
  leftOut: CohortCase[];
  /** What derived the masks that the cohort leaves empty. */
  masks: DerivedMasks | undefined;
  origin: SyntheticOrigin | undefined;
  folds: Fold[];
  splitsSha256: string;
}

export interface StudyPlan extends StudyCases {
  out: string;
  trials: Trial[];
}

const MANIFEST = 'manifest.jsonl';

/** True where the study is one trial, whose files then lie in the study's own folder. */
export const isSingle = ({ trials }: Pick<StudyPlan, 'trials'>) => trials.length === 1;

export const describeTrial = ({ variant, fold, seed }: Pick<Trial, 'variant' | 'fold' | 'seed'>) =>
  `${variant}, ${fold}, seed ${seed}`;

/** The patient of every case, external ones too: for resampling, never for output. */
export const patientsByCase = ({ cases, external }: StudyCases): ReadonlyMap<string, string> =>
  new Map([...cases, ...external].map(({ caseId, patientId }) => [caseId, patientId]));

export function trialFolder(plan: Pick<StudyPlan, 'out' | 'trials'>, { trialId }: Trial): string {
  return isSingle(plan) ? plan.out : join(plan.out, 'trials', trialId);
}

/**
 * Draws the folds (or checks those that are there), and lists the trials: variants x seeds x folds. Writes `splits.json`
 * and `manifest.jsonl`. Planning again gives the same trials; trials that are done stay done.
 */
export async function planStudy(
  configPath: string,
  out: string,
  options: DeriveOptions = {},
): Promise<StudyPlan> {
  const { study, variants, folder } = await loadStudy(configPath);
  const shared = await studyCases({ study, splitSeed: study.seed, studyFolder: folder, out, draw: options });
  for (const { study: each } of variants) checkClinical(each.model.clinical, shared);
  checkSubgroups(study.evaluation.subgroups, shared.cases);
  const masksSha256 = derivedMasksHash(shared.masks);
  const rows = variants.flatMap((variant) =>
    (study.seeds ?? [study.seed]).flatMap((seed) =>
      shared.folds.map((fold) => ({ variant, seed, fold: fold.name })),
    ),
  );
  const trials = rows.map(({ variant, seed, fold }, index): Trial => {
    const { seeds: _, ...rest } = variant.study;
    const clinicalSha256 = clinicalHash(rest.model.clinical, shared);
    const content = {
      fold,
      seed,
      splitsSha256: shared.splitsSha256,
      ...(clinicalSha256 && { clinicalSha256 }),
      ...(masksSha256 && { masksSha256 }),
      study: { ...rest, seed },
    };
    return {
      index,
      trialId: trialIdOf(content),
      variant: variant.name,
      ...content,
      splitSeed: study.seed,
      studyFolder: folder,
    };
  });
  await checkEarlierPlan(out, trials);
  await writeOutput(join(out, MANIFEST), trials.map((trial) => `${JSON.stringify(trial)}\n`).join(''));
  return { out, trials, ...shared };
}

/** The one trial of a study lies in the study's own folder: another study's files would mix with it. */
async function checkEarlierPlan(out: string, trials: readonly Trial[]): Promise<void> {
  if (!existsSync(join(out, MANIFEST))) return;
  const earlier = await readTrials(out);
  if (earlier.length > 1 && trials.length > 1) return;
  if (earlier.length === trials.length && earlier[0]?.trialId === trials[0]?.trialId) return;
  throw new TrainError({
    code: 'STUDY_CHANGED',
    message: `${out} holds another study (its settings, seed or cohort differ): take another --out, or remove that folder`,
  });
}

/**
 * What `planStudy` wrote, read in another process.
 * @throws TrainError MISSING_FILE, STUDY_CHANGED for an edited manifest; CohortError for edited splits
 */
export async function readPlan(out: string): Promise<StudyPlan> {
  const trials = await readTrials(out);
  const { study, splitSeed, studyFolder } = trials[0] as Trial;
  const shared = await studyCases({ study, splitSeed, studyFolder, out, draw: null });
  if (shared.splitsSha256 !== trials[0]?.splitsSha256) {
    throw changed(join(out, 'splits.json'), 'holds other folds than the plan was made for');
  }
  if (trials.some((trial) => trial.clinicalSha256 !== clinicalHash(trial.study.model.clinical, shared))) {
    throw changed(
      resolve(studyFolder, study.cohort),
      'holds other clinical values than the plan was made for',
    );
  }
  if (trials[0]?.masksSha256 !== derivedMasksHash(shared.masks)) {
    throw changed(join(out, 'derived-masks.json'), 'holds other masks than the plan was made for');
  }
  return { out, trials, ...shared };
}

/** The rows of a manifest alone, without reading the cohort. */
export async function readTrials(out: string): Promise<Trial[]> {
  const path = join(out, MANIFEST);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TrainError({
      code: 'MISSING_FILE',
      message: `${out} holds no planned study (no ${MANIFEST}): onco-train plan --config study.yaml --out ${out}`,
      cause,
    });
  }
  let trials: Trial[];
  try {
    trials = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  } catch {
    throw changed(path, 'is not the JSON lines that plan writes');
  }
  const intact = trials.every((trial, i) => trial.index === i && trial.trialId === trialIdOf(trial));
  if (!intact || trials.length === 0) throw changed(path, 'was edited since it was planned');
  return trials;
}

const changed = (path: string, finding: string) =>
  new TrainError({
    code: 'STUDY_CHANGED',
    message: `${path} ${finding}: run onco-train plan again, with the study that is meant`,
  });

/** The name of a trial, which anything that decides its result changes. */
function trialIdOf({
  fold,
  seed,
  splitsSha256,
  clinicalSha256,
  masksSha256,
  study,
}: Pick<Trial, 'fold' | 'seed' | 'splitsSha256' | 'clinicalSha256' | 'masksSha256' | 'study'>) {
  const { name: _, ...decisive } = study;
  return createHash('sha256')
    .update(
      canonical([
        decisive,
        fold,
        seed,
        splitsSha256,
        ...(clinicalSha256 ? [clinicalSha256] : []),
        ...(masksSha256 ? [`masks ${masksSha256}`] : []),
      ]),
    )
    .digest('hex')
    .slice(0, 16);
}

/** JSON with sorted keys and without spaces. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

async function studyCases({
  study,
  splitSeed,
  studyFolder,
  out,
  draw,
}: Pick<Trial, 'study' | 'splitSeed' | 'studyFolder'> & {
  out: string /** null reads what an earlier plan drew. */;
  draw: DeriveOptions | null;
}): Promise<StudyCases> {
  const manifestPath = resolve(studyFolder, study.cohort);
  const manifest = await readManifest(manifestPath);
  const chosen = choosePatients(manifest.cases, study.patients, splitSeed);
  const outside = study.external
    ? await externalCases(resolve(studyFolder, study.external), manifest.cases)
    : [];
  const origin = await syntheticOrigin(dirname(manifestPath));
  const path = join(out, 'splits.json');
  if (!draw && !existsSync(path)) {
    throw new TrainError({
      code: 'MISSING_FILE',
      message: `${path} is missing: onco-train plan --config study.yaml --out ${out} writes it`,
    });
  }
  const given = { study, studyFolder, out, cases: chosen, external: outside };
  const { cases, external, leftOut, masks } = draw
    ? await deriveMasks(given, draw)
    : await readDerivedMasks(given);
  const { folds, sha256 } = await studyFolds(path, cases, { splits: study.splits, seed: splitSeed });
  return { cases, external, leftOut, masks, origin, folds, splitsSha256: sha256 };
}

/** The first `count` patients of a seeded order, with all their cases; everybody where `count` is null. */
function choosePatients(cases: readonly CohortCase[], count: number | null, seed: number): CohortCase[] {
  const patients = [...new Set(cases.map(({ patientId }) => patientId))];
  if (count === null || count >= patients.length) return [...cases];
  const chosen = new Set(new RandomStream(seed, 'patients').shuffle(patients).slice(0, count));
  return cases.filter(({ patientId }) => chosen.has(patientId));
}

/** An external test cohort shares neither patients nor images with the one that trains. */
async function externalCases(path: string, own: readonly CohortCase[]): Promise<CohortCase[]> {
  const { cases } = await readManifest(path);
  const patients = new Set(own.map(({ patientId }) => patientId));
  const images = new Set(own.map(({ image }) => image));
  const shared = cases.find(({ patientId, image }) => patients.has(patientId) || images.has(image));
  if (shared) {
    throw new TrainError({
      code: 'LEAK',
      message: `${path}: line ${shared.line} is a patient or an image of the study's own cohort; an external test cohort holds neither: remove the row, or give the patient another patient_id where two people have the same`,
    });
  }
  return cases.map((each) => ({ ...each, caseId: each.caseId.replace(/^case/, 'external') }));
}
