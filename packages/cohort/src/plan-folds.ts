import { CohortError } from './cohort-error.js';
import {
  caseIds,
  checkCount,
  type DealOptions,
  groupPatients,
  type Parts,
  type Patient,
} from './deal-patients.js';
import { checkFolds, type Fold, type FoldPlan, sealFolds } from './fold-plan.js';
import type { CohortCase } from './parse-manifest.js';
import { crossValidate, holdOutValidation, type SplitOptions, splitPatients } from './split-patients.js';

/** Options of {@link planFolds}. */
export type FoldPlanOptions = FoldScheme & {
  /** Default 0. */
  seed?: number;
  /** Also keep each site's share of the patients in every split. Default false; without effect in `leaveOneSiteOut`. */
  stratifyBySite?: boolean;
};

/** `validation` is the share of the patients that are not tested (of all of them in `holdOut`); default 0.15 (0.1). */
type FoldScheme =
  | ({ scheme: 'holdOut' } & Pick<SplitOptions, 'train' | 'validation' | 'test'>)
  | { scheme: 'kFold' /** Default 5. */; folds?: number; validation?: number }
  | {
      scheme: 'repeatedKFold';
      /** Default 5. */
      folds?: number;
      /** Default 3. */
      repetitions?: number;
      validation?: number;
    }
  | {
      scheme: 'nested';
      /** Outer folds. Default 5. */
      folds?: number;
      /** Inner folds of each outer fold. Default 3. */
      innerFolds?: number;
      validation?: number;
    }
  | { scheme: 'leaveOneSiteOut'; validation?: number };

/**
 * Plans an evaluation: folds of a cohort by patient, each with train, validation and test cases, stratified by the
 * patient's label (and by site on request), the same for the same seed, sealed by a hash.
 *
 * - `holdOut`: one fold, as {@link splitPatients} makes it; the only scheme that honours a `split` column.
 * - `kFold`: every patient is tested once. Its folds are those of {@link kFold}.
 * - `repeatedKFold`: several, dealt anew each time; the first is that of `kFold`.
 * - `nested`: `kFold`, and within each fold's train and validation cases another k-fold (`inner`) to choose settings on.
 * - `leaveOneSiteOut`: every site is tested once, by what the other sites teach.
 *
 * @throws CohortError `OPTIONS`, `TOO_FEW_PATIENTS` (a split would lack one of the classes), `MISSING_SITE` (a case has
 * none, or there is one only), `LEAK` (a patient was seen at two sites), and what {@link splitPatients} throws
 * @example
 * const plan = await planFolds(cases, { scheme: 'repeatedKFold', folds: 5, repetitions: 3, seed: 7 });
 * for (const { name, train, validation, test } of plan.folds) console.log(name, train.length, test.length);
 */
export async function planFolds(
  cases: readonly CohortCase[],
  { seed = 0, stratifyBySite = false, ...scheme }: FoldPlanOptions,
): Promise<FoldPlan> {
  const folds = await foldsOf(cases, scheme as FoldScheme, { seed, stratifyBySite, purpose: '' });
  // What is refused on the way in is refused on the way out too.
  return checkFolds(await sealFolds({ scheme: scheme.scheme, seed, folds }, cases), cases);
}

async function foldsOf(
  cases: readonly CohortCase[],
  options: FoldScheme,
  deal: DealOptions,
): Promise<Fold[]> {
  if (options.scheme === 'holdOut') {
    const { scheme: _, ...shares } = options;
    const splits = await splitPatients(cases, { ...shares, ...deal });
    return [{ name: 'hold-out', ...plain, ...splits.cases }];
  }
  const { validation = 0.15 } = options;
  if (!(validation > 0 && validation < 1)) {
    throw new CohortError({
      code: 'OPTIONS',
      message: `The share of validation is ${validation}; expected a number above 0 and below 1.`,
    });
  }
  const patients = groupPatients(cases);
  if (options.scheme === 'leaveOneSiteOut') return leaveOneSiteOut(patients, validation, deal);
  const { folds = 5 } = options;
  if (options.scheme === 'kFold') {
    return crossValidate(patients, { folds, validation }, deal).map((parts, i) => named(`fold-${i}`, parts));
  }
  if (options.scheme === 'nested') {
    const { innerFolds = 3 } = options;
    return crossValidate(patients, { folds, validation }, deal).map((parts, i) => {
      const development = [...parts.train, ...parts.validation];
      const inner = crossValidate(
        development,
        { folds: innerFolds, validation },
        { ...deal, purpose: `outer ${i} ` },
      );
      return {
        ...named(`fold-${i}`, parts),
        inner: inner.map((each, j) => ({ name: `fold-${i}-inner-${j}`, ...caseIds(each) })),
      };
    });
  }
  if (options.scheme === 'repeatedKFold') {
    const { repetitions = 3 } = options;
    checkCount('repetitions', repetitions, 1);
    return Array.from({ length: repetitions }, (_, repetition) => {
      const purpose = repetition === 0 ? '' : `repeat ${repetition} `;
      return crossValidate(patients, { folds, validation }, { ...deal, purpose }).map((parts, i) => ({
        ...named(`repeat-${repetition}-fold-${i}`, parts),
        repetition,
      }));
    }).flat();
  }
  throw new CohortError({
    code: 'OPTIONS',
    message: `scheme is ${JSON.stringify((options as { scheme: unknown }).scheme)}; expected holdOut, kFold, repeatedKFold, nested or leaveOneSiteOut.`,
  });
}

function leaveOneSiteOut(patients: readonly Patient[], validation: number, deal: DealOptions): Fold[] {
  for (const { cases, site } of patients) {
    const lacking = cases.find((current) => current.site === null);
    if (lacking) {
      throw new CohortError({
        code: 'MISSING_SITE',
        line: lacking.line,
        message: `Line ${lacking.line} of the manifest has no site: fill the site column, or choose another scheme.`,
      });
    }
    const elsewhere = cases.find((current) => current.site !== site);
    if (elsewhere) {
      throw new CohortError({
        code: 'LEAK',
        line: elsewhere.line,
        message:
          `Lines ${cases[0]!.line} and ${elsewhere.line} of the manifest are one patient at two sites, ` +
          'who would be in train and test: give the patient one site, or leave them out.',
      });
    }
  }
  const sites = [...new Set(patients.map((patient) => patient.site!))].sort();
  if (sites.length < 2) {
    throw new CohortError({
      code: 'MISSING_SITE',
      message: `The site column names ${sites.length} site; leaving one out needs at least two.`,
    });
  }
  return sites.map((site, i) => {
    const test = patients.filter((patient) => patient.site === site);
    const rest = patients.filter((patient) => patient.site !== site);
    // A site may hold one class only: it still counts in what all folds say together.
    const parts = holdOutValidation(rest, test, validation, { ...deal, purpose: `site ${i}` });
    return { ...named(`site-${i}`, parts), site };
  });
}

const plain = { repetition: 0, site: null, inner: [] };

function named(name: string, parts: Parts): Fold {
  return { name, ...plain, ...caseIds(parts) };
}
