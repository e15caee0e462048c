import { CohortError } from './cohort-error.js';
import type { CohortCase, SplitName } from './parse-manifest.js';
import { SeededRandom } from './seeded-random.js';

/** A patient with all their cases; the label is the highest of their cases' labels, the site that of their first case. */
export interface Patient {
  cases: CohortCase[];
  label: 0 | 1;
  site: string | null;
  split: SplitName | null;
}

/** Patients of each split. */
export type Parts = Record<SplitName, Patient[]>;

export type Shares = Partial<Record<SplitName, number>>;

/** What decides a deal: the same seed and purpose deal the same patients alike. */
export interface DealOptions {
  seed: number;
  purpose: string;
  /** Also keep each site's share of the patients in every part. */
  stratifyBySite: boolean;
}

export function groupPatients(cases: readonly CohortCase[]): Patient[] {
  const patients = new Map<string, Patient>();
  for (const current of cases) {
    const patient = patients.get(current.patientId);
    if (!patient) {
      const { label, site, split } = current;
      patients.set(current.patientId, { cases: [current], label, site, split });
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

/** Deals shuffled patients of each label to the named splits, each as near to its share as whole patients allow. */
export function dealShares(
  patients: readonly Patient[],
  shares: Shares,
  { seed, purpose, stratifyBySite }: DealOptions,
): Partial<Parts> {
  const random = new SeededRandom(seed, purpose);
  const names = Object.keys(shares) as SplitName[];
  const total = names.reduce((sum, name) => sum + shares[name]!, 0);
  const dealt = Object.fromEntries(names.map((name) => [name, [] as Patient[]]));
  for (const stratum of byLabel(patients)) {
    const shuffled = random.shuffle(stratum);
    if (stratifyBySite) {
      dealInTurn(bySite(shuffled), shares, dealt);
      continue;
    }
    let passed = 0;
    for (const name of names) {
      const start = Math.round((shuffled.length * passed) / total);
      passed += shares[name]!;
      dealt[name]!.push(...shuffled.slice(start, Math.round((shuffled.length * passed) / total)));
    }
  }
  return dealt;
}

/**
 * All patients in an order in which every n-th has each label's (and site's) share: folds dealt in turn are of sizes
 * within one of each other.
 */
export function orderForFolds(
  patients: readonly Patient[],
  { seed, purpose, stratifyBySite }: DealOptions,
): Patient[] {
  const random = new SeededRandom(seed, purpose);
  // Going on from one stratum to the next without starting over keeps the folds' sizes within one of each other.
  return byLabel(patients).flatMap((stratum) => {
    const shuffled = random.shuffle(stratum);
    return stratifyBySite ? bySite(shuffled) : shuffled;
  });
}

/** Sorted case ids of each part: what a split file holds. */
export function caseIds(parts: Parts): Record<SplitName, string[]> {
  const ids = (name: SplitName) =>
    parts[name].flatMap((patient) => patient.cases.map(({ caseId }) => caseId)).sort();
  return { train: ids('train'), validation: ids('validation'), test: ids('test') };
}

export function checkShare(name: string, share: number): void {
  if (share >= 0 && share <= 1) return;
  throw new CohortError({
    code: 'OPTIONS',
    message: `The share of ${name} is ${share}; expected a number from 0 to 1.`,
  });
}

export function checkCount(name: string, count: number, least: number): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new CohortError({
    code: 'OPTIONS',
    message: `${name} is ${count}; expected a whole number from ${least}.`,
  });
}

export function checkClasses(parts: Parts, names: readonly SplitName[]): void {
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

function byLabel(patients: readonly Patient[]): Patient[][] {
  return [0, 1].map((label) => patients.filter((patient) => patient.label === label));
}

/** In the order of their sites; patients of one site stay in the order given. */
function bySite(patients: readonly Patient[]): Patient[] {
  const key = ({ site }: Patient) => site ?? '';
  return [...patients].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Each patient in turn to the split that is furthest below its share, so that every run of patients is shared fairly. */
function dealInTurn(patients: readonly Patient[], shares: Shares, dealt: Record<string, Patient[]>): void {
  const names = Object.keys(shares) as SplitName[];
  const total = names.reduce((sum, name) => sum + shares[name]!, 0);
  const given = Object.fromEntries(names.map((name) => [name, 0]));
  patients.forEach((patient, position) => {
    const short = (name: SplitName) => ((position + 1) * shares[name]!) / total - given[name]!;
    const neediest = names.reduce((best, name) => (short(name) > short(best) + 1e-9 ? name : best));
    dealt[neediest]!.push(patient);
    given[neediest]!++;
  });
}
