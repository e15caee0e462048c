import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeVolume } from '@onco-response/imaging-io/node';
import { rocAuc } from '@onco-response/metrics';
import writeFileAtomic from 'write-file-atomic';
import { CohortError } from '../cohort-error.js';
import { type PhantomTruth, phantomCase, phantomTruth } from '../phantom/phantom-case.js';
import { completeOptions, type PhantomOptions } from '../phantom/phantom-options.js';
import { reachableAuc } from '../phantom/planted-signal.js';

/** Raised whenever the same seed would give other cases, so that no folder mixes two generators. */
const generator = 1;

/** How far {@link writePhantomCohort} has come. */
export interface PhantomProgress {
  done: number;
  total: number;
  /** True where the case's files were there already. */
  kept: boolean;
}

/** Options of {@link writePhantomCohort}. */
export interface WritePhantomOptions extends PhantomOptions {
  /** How many cases. Default 160. */
  cases?: number;
  /** Default 0. */
  seed?: number;
  onProgress?: (progress: PhantomProgress) => void;
  /** Stops between two cases, with the signal's reason; the next call goes on. */
  signal?: AbortSignal;
}

/** The content of `phantom.json`. */
export interface PhantomCohort {
  synthetic: true;
  generator: number;
  seed: number;
  options: Required<PhantomOptions>;
  label: string;
  /** The best AUC that any model can reach; see `reachableAuc`. */
  reachableAuc: {
    /** On average over cohorts of this strength. */
    population: number;
    /** On average over the labels that these cases' latents could have had; null below two cases. */
    theseLatents: number | null;
    /** Of the latents against the labels as they were drawn; null where one class is missing. */
    theseLabels: number | null;
  };
  cases: ({ patientId: string } & PhantomTruth)[];
}

/**
 * Writes a synthetic cohort: `images/synthetic-0001.nii.gz` (HU), `masks/synthetic-0001.nii.gz`, `cohort.csv`, and
 * `phantom.json` with the seed, the options, each case's truth and the best reachable AUC.
 *
 * Case n depends on the seed, n and the options only. A folder of the same seed and options is completed: what is there
 * is kept, so an interrupted call can be repeated and a cohort can grow.
 *
 * @throws CohortError `OPTIONS`, `OTHER_PHANTOM` (the folder holds another synthetic cohort)
 * @example
 * const { reachableAuc } = await writePhantomCohort('runs/phantom', { cases: 160, seed: 7 });
 */
export async function writePhantomCohort(
  directory: string,
  { cases = 160, seed = 0, onProgress, signal, ...given }: WritePhantomOptions = {},
): Promise<PhantomCohort> {
  if (!Number.isInteger(cases) || cases < 1) {
    throw new CohortError({
      code: 'OPTIONS',
      message: `cases is ${cases}; expected a positive whole number.`,
    });
  }
  const options = completeOptions(given);
  const recipe = { synthetic: true as const, generator, seed, options };
  await claim(directory, recipe);
  await Promise.all(['images', 'masks'].map((folder) => mkdir(join(directory, folder), { recursive: true })));

  const truths: PhantomCohort['cases'] = [];
  let written: Promise<unknown> = Promise.resolve();
  for (let index = 0; index < cases; index++) {
    signal?.throwIfAborted();
    const patientId = `synthetic-${String(index + 1).padStart(4, '0')}`;
    const [image, mask] = ['images', 'masks'].map((folder) =>
      join(directory, folder, `${patientId}.nii.gz`),
    ) as [string, string];
    // A file that is there is whole: writeVolume gives a file its name only once it is complete.
    const kept = (await exists(image)) && (await exists(mask));
    await written; // the files of one case are compressed while the next case is made
    if (kept) {
      truths.push({ patientId, ...phantomTruth(seed, index, options) });
    } else {
      const { volume, mask: lesions, ...truth } = phantomCase(seed, index, options);
      truths.push({ patientId, ...truth });
      written = Promise.all([writeVolume(image, volume), writeVolume(mask, lesions)]);
      written.catch(() => undefined); // raised by the next await
    }
    onProgress?.({ done: index + 1, total: cases, kept });
  }
  await written;

  const rows = truths.map(
    ({ patientId, label }) => `${patientId},images/${patientId}.nii.gz,masks/${patientId}.nii.gz,${label}`,
  );
  await writeFileAtomic(
    join(directory, 'cohort.csv'),
    `${['patient_id,image,mask,label', ...rows].join('\n')}\n`,
  );
  const labels = truths.map(({ label }) => label);
  const latents = truths.map(({ latent }) => latent);
  const cohort: PhantomCohort = {
    ...recipe,
    label: '1 with probability sigmoid(intercept + strength * latent); no patient stands behind any case',
    reachableAuc: {
      population: reachableAuc(options),
      theseLatents: cases > 1 ? reachableAuc(options, latents) : null,
      theseLabels: new Set(labels).size > 1 ? rocAuc(labels, latents) : null,
    },
    cases: truths,
  };
  await writeFileAtomic(join(directory, 'phantom.json'), `${JSON.stringify(cohort, null, 2)}\n`);
  return cohort;
}

/** Writes down, before the first image, which cohort this folder is for; raises where it is another one's. */
async function claim(directory: string, recipe: object): Promise<void> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'phantom.json');
  if (!(await exists(path))) return writeFileAtomic(path, `${JSON.stringify(recipe, null, 2)}\n`);
  const found = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const same = Object.entries(recipe).every(
    ([key, value]) => JSON.stringify(found[key]) === JSON.stringify(value),
  );
  if (same) return;
  throw new CohortError({
    code: 'OTHER_PHANTOM',
    message: `${directory} holds a synthetic cohort of another seed or other options: use another folder, or delete it.`,
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
