import { CohortError } from './cohort-error.js';
import { checkCount } from './deal-patients.js';
import { SeededRandom } from './seeded-random.js';

/** Options of {@link balancedPatientBatches}. */
export interface BalancedBatchOptions {
  /** Patient of each case: the unit that is drawn. */
  patients: readonly string[];
  /** Class of each case, a whole number. */
  labels: readonly number[];
  /** P, how many classes a batch holds. Default: all of them. */
  classesPerBatch?: number;
  /** K, how many patients of each class a batch holds. */
  perClass: number;
  /** Default 0. */
  seed?: number;
  /** Which epoch, from 0: each has its own draws, whatever was drawn before. Default 0. */
  epoch?: number;
}

/**
 * One epoch of batches of P classes x K patients, for losses that compare patients within a batch: every batch holds one
 * case each of K different patients of each of its P classes (Hermans et al. 2017, section 2; "PK batches").
 *
 * The epoch is as long as the class with most patients needs to have each of them drawn. Smaller classes go round: each
 * of their patients is drawn once before one is drawn again. A patient's cases of a class take turns, from a random one
 * on. A patient with cases of two classes counts in both.
 *
 * @returns Indices into `patients`, batch by batch, P * K each.
 * @throws CohortError `OPTIONS`, `TOO_FEW_PATIENTS` (a class has fewer than K patients: a batch would hold one twice)
 * @example
 * const patients = ['a', 'b', 'c', 'd', 'e'];
 * const batches = balancedPatientBatches({ patients, labels: [1, 1, 0, 0, 0], perClass: 2, seed: 7, epoch: 3 });
 */
export function balancedPatientBatches({
  patients,
  labels,
  classesPerBatch,
  perClass,
  seed = 0,
  epoch = 0,
}: BalancedBatchOptions): number[][] {
  if (patients.length !== labels.length || patients.length === 0) {
    throw new CohortError({
      code: 'OPTIONS',
      message: `There are ${patients.length} patients and ${labels.length} labels; expected one each a case, and some.`,
    });
  }
  const random = new SeededRandom(seed, `balanced batches of epoch ${epoch}`);
  const classes = [...new Set(labels)]
    .sort((a, b) => a - b)
    .map((label) => ({ uses: 0, queue: new PatientQueue(casesOf(label, patients, labels), random) }));
  const inBatch = classesPerBatch ?? classes.length;
  checkCount('classesPerBatch', inBatch, 1);
  checkCount('perClass', perClass, 1);
  checkCount('epoch', epoch, 0);
  if (inBatch > classes.length) {
    throw new CohortError({
      code: 'OPTIONS',
      message: `classesPerBatch is ${inBatch}, but the labels hold ${classes.length} classes.`,
    });
  }
  const fewest = Math.min(...classes.map(({ queue }) => queue.size));
  if (fewest < perClass) {
    throw new CohortError({
      code: 'TOO_FEW_PATIENTS',
      message: `A class has ${fewest} patients, fewer than the ${perClass} that a batch takes of it: lower perClass.`,
    });
  }
  const most = Math.max(...classes.map(({ queue }) => queue.size));
  const count = Math.ceil((Math.ceil(most / perClass) * classes.length) / inBatch);
  return Array.from({ length: count }, () => {
    // The classes used least so far, ties at random: their uses stay within one of each other.
    const chosen = random
      .shuffle(classes)
      .sort((a, b) => a.uses - b.uses)
      .slice(0, inBatch);
    return chosen.flatMap((each) => {
      each.uses++;
      return each.queue.draw(perClass);
    });
  });
}

/** Cases of one class by patient. */
function casesOf(label: number, patients: readonly string[], labels: readonly number[]): number[][] {
  const byPatient = new Map<string, number[]>();
  patients.forEach((patient, index) => {
    if (labels[index] !== label) return;
    const cases = byPatient.get(patient);
    if (cases) cases.push(index);
    else byPatient.set(patient, [index]);
  });
  return [...byPatient.values()];
}

/** The patients of one class in random order, again and again. */
class PatientQueue {
  readonly size: number;
  readonly #random: SeededRandom;
  readonly #patients: readonly number[][];
  readonly #turns: number[];
  #waiting: number[] = [];

  constructor(patients: readonly number[][], random: SeededRandom) {
    this.size = patients.length;
    this.#random = random;
    this.#patients = patients;
    this.#turns = patients.map((cases) => random.integer(cases.length));
  }

  /** A case each of `count` different patients. */
  draw(count: number): number[] {
    const drawn: number[] = [];
    while (drawn.length < count) {
      if (this.#waiting.length === 0) {
        const order = this.#random.shuffle(this.#patients.map((_, patient) => patient));
        // Those who are in this batch already come last in the new round, so that none is in it twice.
        this.#waiting = [
          ...order.filter((patient) => !drawn.includes(patient)),
          ...order.filter((patient) => drawn.includes(patient)),
        ];
      }
      drawn.push(this.#waiting.shift()!);
    }
    return drawn.map((patient) => {
      const cases = this.#patients[patient]!;
      return cases[this.#turns[patient]!++ % cases.length]!;
    });
  }
}
