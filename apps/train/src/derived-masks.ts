import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { Progress } from '@onco-response/command-line/node';
import { startEngine } from '@onco-response/engine';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { lesionContactSheet, type MaskCleaning } from '@onco-response/lesion-mask';
import { encodePng } from '@onco-response/report';
import { createVolume } from '@onco-response/volume';
import { cacheFolder } from './encoder-store.js';
import { MaskDeriver, type MaskFacts } from './mask-deriver.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** One case whose mask was to be derived. */
export interface DerivedCase extends MaskFacts {
  caseId: string;
  label: 0 | 1;
  /** sha256 of the mask's file; null where there is none. */
  sha256: string | null;
}

/** `derived-masks.json`: what made the masks of a study that its cohort did not give. */
export interface DerivedMasks {
  /** Name of the model's folder. */
  model: string;
  modelSha256: string;
  /** sha256 of each of its files. */
  modelFiles: Readonly<Record<string, string>>;
  labels: readonly number[];
  cleaning: MaskCleaning;
  cases: DerivedCase[];
}

/** A study's cases with a mask each, and those that have none. */
export interface MaskedCases {
  cases: CohortCase[];
  external: CohortCase[];
  /** Cases in which no lesion was found. */
  leftOut: CohortCase[];
  /** Undefined where the cohort gives every mask. */
  masks: DerivedMasks | undefined;
}

export interface DeriveOptions {
  interrupted?: () => boolean;
  /** CPU threads, unless the study says how many; all cores without either. */
  threads?: number | undefined;
}

interface Cohort {
  study: Study;
  studyFolder: string;
  out: string;
  cases: CohortCase[];
  external: CohortCase[];
}

const RECORD = 'derived-masks.json';
const FOLDER = 'masks';
/** Cases that a refusal names. */
const NAMED = 20;

/**
 * Fills in the masks that the cohort leaves empty: each is derived once (`MaskDeriver` keeps it by content), and lies as
 * `masks/CASE.nii.gz` with a contact sheet `masks/CASE.png` in the study's folder. `derived-masks.json` says what was done.
 *
 * @throws TrainError MISSING_FILE where a mask is empty and the study names no segmentation model; NO_LESION where no lesion
 * was found and the study does not say to leave such cases out; INTERRUPTED
 */
export async function deriveMasks(cohort: Cohort, options: DeriveOptions): Promise<MaskedCases> {
  const missing = withoutMask(cohort);
  if (missing.length === 0) return { ...cohort, leftOut: [], masks: undefined };
  const settings = cohort.study.segmentation;
  if (!settings) throw noSegmentation(missing);
  const { study, out } = cohort;
  const engine = await startEngine({
    backend: 'tensorflow',
    threads: study.threads ?? options.threads ?? availableParallelism(),
    seed: study.seed,
    gpu: study.gpu,
    tf32: study.tf32,
  });
  const model = resolve(cohort.studyFolder, settings.model);
  const folder = join(cacheFolder(), 'masks');
  const deriver = await MaskDeriver.open({ folder, model, settings, engine });
  const progress = new Progress('lesion masks', missing.length);
  const found: DerivedCase[] = [];
  try {
    for (const each of missing) {
      if (options.interrupted?.()) {
        throw new TrainError({ code: 'INTERRUPTED', message: 'stopped; the same command goes on from here' });
      }
      const { facts, path } = await deriver.derive(each.image);
      const sha256 = await placeMask(out, each, path, study);
      found.push({ caseId: each.caseId, label: each.label, sha256, ...facts });
      progress.advance();
    }
  } finally {
    progress.stop();
    deriver.dispose();
  }
  const masks: DerivedMasks = {
    model: basename(model),
    modelSha256: deriver.hash.sha256,
    modelFiles: deriver.hash.files,
    labels: found.find(({ labels }) => labels)?.labels ?? settings.labels ?? [],
    cleaning: settings.cleaning,
    cases: found,
  };
  await writeOutput(join(out, RECORD), `${JSON.stringify(masks, null, 2)}\n`);
  const result = assign(cohort, masks);
  for (const line of describeMasks(result)) console.error(line);
  if (study.noLesion === 'refuse' && result.leftOut.length > 0) throw noLesion(out, result.leftOut);
  return result;
}

/**
 * What `deriveMasks` did, read in another process.
 * @throws TrainError MISSING_FILE, STUDY_CHANGED for a cohort with other empty masks
 */
export async function readDerivedMasks(cohort: Cohort): Promise<MaskedCases> {
  const missing = withoutMask(cohort);
  if (missing.length === 0) return { ...cohort, leftOut: [], masks: undefined };
  const path = join(cohort.out, RECORD);
  const planAgain = `onco-train plan --config study.yaml --out ${cohort.out} derives what is missing`;
  const text = await readFile(path, 'utf8').catch(() => {
    throw new TrainError({ code: 'MISSING_FILE', message: `${path} is missing: ${planAgain}` });
  });
  const masks: DerivedMasks = JSON.parse(text);
  if (masks.cases.map(({ caseId }) => caseId).join() !== missing.map(({ caseId }) => caseId).join()) {
    throw new TrainError({
      code: 'STUDY_CHANGED',
      message: `${path} is of other cases than those without a mask in the cohort: ${planAgain}`,
    });
  }
  const result = assign(cohort, masks);
  const gone = [...result.cases, ...result.external].find(({ mask }) => mask && !existsSync(mask));
  if (!gone) return result;
  throw new TrainError({ code: 'MISSING_FILE', message: `${gone.mask} is missing: ${planAgain}` });
}

/** Hash of the masks that were derived, where any were. */
export function derivedMasksHash(masks: DerivedMasks | undefined): string | undefined {
  if (!masks) return undefined;
  return createHash('sha256')
    .update(JSON.stringify(masks.cases.map(({ caseId, outcome, sha256 }) => [caseId, outcome, sha256])))
    .digest('hex');
}

const withoutMask = ({ cases, external }: Pick<Cohort, 'cases' | 'external'>) =>
  [...cases, ...external].filter(({ mask }) => mask === null);

const maskPath = (out: string, caseId: string) => join(out, FOLDER, `${caseId}.nii.gz`);

function assign({ cases, external, out }: Cohort, masks: DerivedMasks): MaskedCases {
  const derived = new Map(masks.cases.map((each) => [each.caseId, each]));
  const isLeftOut = ({ caseId }: CohortCase) => derived.get(caseId)?.outcome === 'NO_LESION';
  const complete = (all: readonly CohortCase[]) =>
    all
      .filter((each) => !isLeftOut(each))
      .map((each) =>
        each.mask === null && derived.has(each.caseId)
          ? { ...each, mask: resolve(maskPath(out, each.caseId)) }
          : each,
      );
  return {
    cases: complete(cases),
    external: complete(external),
    leftOut: [...cases, ...external].filter(isLeftOut),
    masks,
  };
}

/** Puts a kept mask into the study's folder, with the picture to check it by. @returns the mask's sha256 */
async function placeMask(
  out: string,
  { caseId, image }: CohortCase,
  from: string | null,
  { model }: Study,
): Promise<string | null> {
  const to = maskPath(out, caseId);
  const sheet = join(out, FOLDER, `${caseId}.png`);
  const bytes = from === null ? null : await readFile(from);
  const there = existsSync(to) ? await readFile(to) : null;
  const same = bytes === null || there === null ? bytes === there : bytes.equals(there);
  if (bytes && !same) await writeOutput(to, bytes);
  if (bytes === null) await rm(to, { force: true });
  if (!same || !existsSync(sheet)) {
    const volume = await readVolume(image);
    const mask = bytes
      ? await readMask(to, { like: volume })
      : createVolume({ ...volume, data: new Uint8Array(volume.data.length) });
    const { window } = model.input;
    const picture = lesionContactSheet(volume, mask, { window, title: `${caseId}, derived lesion mask` });
    await writeOutput(sheet, encodePng(picture));
  }
  return bytes && createHash('sha256').update(bytes).digest('hex');
}

function noSegmentation(missing: readonly CohortCase[]): TrainError {
  const [first] = missing as [CohortCase];
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return new TrainError({
    code: 'MISSING_FILE',
    message: `line ${first.line} of the manifest (${first.caseId})${more} has no mask: give one, or name a model that derives it in the study: segmentation: { model: FOLDER }`,
  });
}

function noLesion(out: string, cases: readonly CohortCase[]): TrainError {
  const named = cases.slice(0, NAMED).map(({ caseId, line }) => `${caseId} (line ${line})`);
  const more = cases.length > NAMED ? `, and ${cases.length - NAMED} more` : '';
  return new TrainError({
    code: 'NO_LESION',
    message: `no lesion was found in ${named.join(', ')}${more}: look at ${join(out, FOLDER)}/*.png, then give these cases a mask, or take them out of the cohort, or set noLesion: leaveOut in the study`,
  });
}

/** Lines for the console: what was derived and what was left out. */
function describeMasks({ masks, leftOut }: MaskedCases): string[] {
  if (!masks) return [];
  const derived = masks.cases.filter(({ outcome }) => outcome === 'DERIVED');
  const flagged = derived.filter(({ flags }) => flags.length > 0);
  return [
    `masks: ${derived.length} derived by ${masks.model} (labels ${masks.labels.join(', ')}), ${flagged.length} of them flagged`,
    ...leftOut.map(({ caseId, line }) => `NO_LESION: ${caseId} (line ${line})`),
  ];
}
