import { CohortError } from './cohort-error.js';
import type { CohortCase, SplitName } from './parse-manifest.js';
import { SeededRandom } from './seeded-random.js';
import { type Splits, sealSplits, splitNames } from './splits.js';

/** Options of {@link splitPatients}. */
export interface SplitOptions {
  /** Share of the patients in each split; only their ratio counts. Default 0.7, 0.1, 0.2. A share of 0 leaves it empty. */
  train?: number;
  validation?: number;
  test?: number;
  /** Default 0. */
  seed?: number;
}

/** Options of {@link kFold}. */
export interface FoldOptions {
  /** How many folds; each is the test split once. Default 5. */
  folds?: number;
  /** Share of the patients outside the test fold that becomes the validation split. Default 0.15. */
  validation?: number;
  /** Default 0. */
  seed?: number;
}

/** A patient with all their cases; the label is the highest of their cases' labels. */
interface Patient {
  cases: CohortCase[];
  label: 0 | 1;
  split: SplitName | null;
}

type Shares = Partial<Record<SplitName, number>>;

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
  { train = 0.7, validation = 0.1, test = 0.2, seed = 0 }: SplitOptions = {},
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
  const dealt = deal(free, pick(shares, open), seed, 'split');
  const parts = Object.fromEntries(
    splitNames.map((name) => [name, [...given(name), ...(dealt[name] ?? [])]]),
  ) as Record<SplitName, Patient[]>;
  if (parts.validation.length === 0 && validation > 0) {
    Object.assign(parts, deal(parts.train, { train, validation }, seed, 'validation'));
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
  { folds = 5, validation = 0.15, seed = 0 }: FoldOptions = {},
): Promise<Splits[]> {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new CohortError({ code: 'OPTIONS', message: `folds is ${folds}; expected a whole number from 2.` });
  }
  checkShare('validation', validation);
  const random = new SeededRandom(seed, 'folds');
  const dealt = byLabel(groupPatients(cases)).flatMap((stratum) => random.shuffle(stratum));
  return Promise.all(
    Array.from({ length: folds }, (_, index) => {
      // Going on from one stratum to the next without starting over keeps the folds' sizes within one of each other.
      const test = dealt.filter((_, position) => position % folds === index);
      const rest = dealt.filter((_, position) => position % folds !== index);
      const shares = { train: 1 - validation, validation };
      const parts = { train: [], validation: [], ...deal(rest, shares, seed, `fold ${index}`), test };
      checkClasses(parts, validation > 0 ? splitNames : ['train', 'test']);
      return sealSplits({ seed, fold: { index, count: folds }, cases: caseIds(parts) }, cases);
    }),
  );
}

function groupPatients(cases: readonly CohortCase[]): Patient[] {
  const patients = new Map<string, Patient>();
  for (const current of cases) {
    const patient = patients.get(current.patientId);
    if (!patient) {
      patients.set(current.patientId, { cases: [current], label: current.label, split: current.split });
      continue;
    }
    if (patient.split !== current.split) {
      throw new CohortError({
        code: 'PATIENT_IN_TWO_SPLITS',
        line: current.line,
        message: `Lines ${patient.cases[0]!.line} and ${current.line} of the manifest put one patient in two splits.`,
      });
    }
    patient.cases.push(current);
    if (current.label === 1) patient.label = 1;
  }
  return [...patients.values()];
}

function byLabel(patients: readonly Patient[]): Patient[][] {
  return [0, 1].map((label) => patients.filter((patient) => patient.label === label));
}

/** Deals shuffled patients of each label to the named splits, each as near to its share as whole patients allow. */
function deal(
  patients: readonly Patient[],
  shares: Shares,
  seed: number,
  purpose: string,
): Partial<Record<SplitName, Patient[]>> {
  const random = new SeededRandom(seed, purpose);
  const names = Object.keys(shares) as SplitName[];
  const total = names.reduce((sum, name) => sum + shares[name]!, 0);
  const dealt = Object.fromEntries(names.map((name) => [name, [] as Patient[]]));
  for (const stratum of byLabel(patients)) {
    const shuffled = random.shuffle(stratum);
    let passed = 0;
    for (const name of names) {
      const start = Math.round((shuffled.length * passed) / total);
      passed += shares[name]!;
      dealt[name]!.push(...shuffled.slice(start, Math.round((shuffled.length * passed) / total)));
    }
  }
  return dealt;
}

function pick(shares: Record<SplitName, number>, names: readonly SplitName[]): Shares {
  return Object.fromEntries(names.map((name) => [name, shares[name]]));
}

function caseIds(parts: Record<SplitName, Patient[]>): Splits['cases'] {
  const ids = (name: SplitName) =>
    parts[name].flatMap((patient) => patient.cases.map(({ caseId }) => caseId)).sort();
  return { train: ids('train'), validation: ids('validation'), test: ids('test') };
}

function checkShare(name: string, share: number): void {
  if (share >= 0 && share <= 1) return;
  throw new CohortError({
    code: 'OPTIONS',
    message: `The share of ${name} is ${share}; expected a number from 0 to 1.`,
  });
}

function checkClasses(parts: Record<SplitName, Patient[]>, names: readonly SplitName[]): void {
  for (const name of names) {
    for (const label of [0, 1]) {
      if (parts[name].some((patient) => patient.label === label)) continue;
      throw new CohortError({
        code: 'TOO_FEW_PATIENTS',
        message:
          `The ${name} split would have no patient of label ${label} among its ${parts[name].length}: ` +
          'give the cohort more patients of that label, or the split a larger share.',
      });
    }
  }
}
