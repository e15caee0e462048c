import { CohortError } from './cohort-error.js';
import {
  caseIds,
  checkClasses,
  checkCount,
  checkShare,
  type DealOptions,
  dealShares,
  groupPatients,
  orderForFolds,
  type Parts,
  type Patient,
  type Shares,
} from './deal-patients.js';
import type { CohortCase, SplitName } from './parse-manifest.js';
import { type Splits, sealSplits, splitNames } from './splits.js';

/** Options of {@link splitPatients}. */
export interface SplitOptions {
  /** Share of the patients in each split; only their ratio counts. Default 0.7, 0.1, 0.2. A share of 0 leaves it empty. */
  train?: number;
  validation?: number;
  test?: number;
  /** Default 0. */
  seed?: number;
  /** Also keep each site's share of the patients in every split. Default false. */
  stratifyBySite?: boolean;
}

/** Options of {@link kFold}. */
export interface FoldOptions {
  /** How many folds; each is the test split once. Default 5. */
  folds?: number;
  /** Share of the patients outside the test fold that becomes the validation split. Default 0.15. */
  validation?: number;
  /** Default 0. */
  seed?: number;
  /** Also keep each site's share of the patients in every split. Default false. */
  stratifyBySite?: boolean;
}

/**
 * Splits a cohort by patient, stratified by the patient's label, at random but the same for the same seed.
 *
 * A `split` column is honoured: its patients stay where it puts them, the others are shared among the splits that it
 * does not name, and where it leaves validation empty, validation is taken from train.
 *
 * @throws CohortError `OPTIONS`, `SPLIT_INCOMPLETE` (the column names every split and still leaves rows empty),
 * `TOO_FEW_PATIENTS` (a split would lack one of the classes)
 * @example
 * const splits = await splitPatients(cases, { train: 0.7, validation: 0.1, test: 0.2, seed: 7 });
 */
export async function splitPatients(
  cases: readonly CohortCase[],
  { train = 0.7, validation = 0.1, test = 0.2, seed = 0, stratifyBySite = false }: SplitOptions = {},
): Promise<Splits> {
  const shares = { train, validation, test };
  for (const [name, share] of Object.entries(shares)) checkShare(name, share);
  const patients = groupPatients(cases);
  const given = (name: SplitName) => patients.filter((patient) => patient.split === name);
  const free = patients.filter((patient) => patient.split === null);
  const open = splitNames.filter((name) => given(name).length === 0 && shares[name] > 0);
  if (free.length > 0 && open.length === 0) {
    throw new CohortError({
      code: 'SPLIT_INCOMPLETE',
      line: free[0]!.cases[0]!.line,
      message: `The split column leaves ${free.length} patients without a split, from line ${free[0]!.cases[0]!.line} on.`,
    });
  }
  const dealt = dealShares(free, pick(shares, open), { seed, purpose: 'split', stratifyBySite });
  const parts = Object.fromEntries(
    splitNames.map((name) => [name, [...given(name), ...(dealt[name] ?? [])]]),
  ) as Parts;
  if (parts.validation.length === 0 && validation > 0) {
    const options = { seed, purpose: 'validation', stratifyBySite };
    Object.assign(parts, dealShares(parts.train, { train, validation }, options));
  }
  checkClasses(
    parts,
    splitNames.filter((name) => shares[name] > 0),
  );
  return sealSplits({ seed, fold: null, cases: caseIds(parts) }, cases);
}

/**
 * Cross-validation by patient, stratified by the patient's label: every patient is in the test split of one fold.
 * A `split` column is not used.
 *
 * @throws CohortError `OPTIONS`, `TOO_FEW_PATIENTS`
 * @example
 * const folds = await kFold(cases, { folds: 5, validation: 0.15, seed: 7 });
 */
export async function kFold(
  cases: readonly CohortCase[],
  { folds = 5, validation = 0.15, seed = 0, stratifyBySite = false }: FoldOptions = {},
): Promise<Splits[]> {
  const options = { seed, purpose: '', stratifyBySite };
  const parts = crossValidate(groupPatients(cases), { folds, validation }, options);
  return Promise.all(
    parts.map((fold, index) =>
      sealSplits({ seed, fold: { index, count: folds }, cases: caseIds(fold) }, cases),
    ),
  );
}

/** The parts of each fold of one cross-validation; `purpose` tells several of one seed apart. */
export function crossValidate(
  patients: readonly Patient[],
  { folds, validation }: { folds: number; validation: number },
  { purpose, ...options }: DealOptions,
): Parts[] {
  checkCount('folds', folds, 2);
  const order = orderForFolds(patients, { ...options, purpose: `${purpose}folds` });
  return Array.from({ length: folds }, (_, index) => {
    const test = order.filter((_, position) => position % folds === index);
    const rest = order.filter((_, position) => position % folds !== index);
    const parts = holdOutValidation(rest, test, validation, {
      ...options,
      purpose: `${purpose}fold ${index}`,
    });
    checkClasses(parts, ['test']);
    return parts;
  });
}

/** Takes validation patients from those that are not tested. */
export function holdOutValidation(
  rest: readonly Patient[],
  test: Patient[],
  validation: number,
  options: DealOptions,
): Parts {
  checkShare('validation', validation);
  const shares = { train: 1 - validation, validation };
  const parts = { train: [], validation: [], ...dealShares(rest, shares, options), test };
  checkClasses(parts, validation > 0 ? ['train', 'validation'] : ['train']);
  return parts;
}

function pick(shares: Record<SplitName, number>, names: readonly SplitName[]): Shares {
  return Object.fromEntries(names.map((name) => [name, shares[name]]));
}
