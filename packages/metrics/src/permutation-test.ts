import type { Statistic } from './bootstrap-ci.js';
import { checkCount, checkLabelled, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { midranks } from './midranks.js';
import { resamplingStrata } from './resampler.js';
import { seededRandom } from './seeded-random.js';
import { countedStatistics, rank } from './weighted-ranking.js';

export interface PermutationOptions {
  /** how many random arrangements; all of them are taken instead when there are no more than this; 10000 unless given */
  permutations?: number;
  /** a whole number; 0 unless given */
  seed?: number;
  /** what the statistic is when there is an effect; `two-sided` is twice the smaller tail; `greater` unless given */
  alternative?: 'greater' | 'less' | 'two-sided';
}

export interface PermutationTest {
  /** the statistic on the data as given */
  estimate: number;
  p: number;
  /** arrangements compared with it */
  permutations: number;
  /** true when those were all there are: p is then exact, otherwise (1 + extreme) / (1 + permutations) */
  exact: boolean;
}

/**
 * Is the statistic better than chance? Compares it with its values under permuted labels, the scores left as they are.
 * Arrangements whose value is equal to within rounding count as extreme.
 *
 * @param statistic such as `rocAuc`; it must have a value for every arrangement
 * @throws MetricsError as `rocAuc`; `INVALID_OPTION`; `NOT_FINITE` when the statistic of an arrangement is not a number
 * @see Phipson and Smyth 2010, Stat Appl Genet Mol Biol 9:39; scipy `permutation_test(permutation_type='pairings')`
 * @example
 * permutationTest(rocAuc, [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).p // 0.333 (2 of 6 arrangements)
 */
export function permutationTest(
  statistic: Statistic,
  labels: Values,
  scores: Values,
  { permutations = 10_000, seed = 0, alternative = 'greater' }: PermutationOptions = {},
): PermutationTest {
  const { positives } = checkLabelled(labels, scores);
  checkOptions(permutations, seed, alternative);
  const evaluate = onLabels(statistic, labels, scores);
  const estimate = evaluate(Uint8Array.from(labels));
  const cases = labels.length;
  if (combinations(cases, positives) <= permutations) {
    const values: number[] = [];
    forEachChoice(cases, positives, (arranged) => values.push(evaluate(arranged)));
    return { estimate, ...exactP(estimate, values, alternative) };
  }
  const random = seededRandom(seed);
  const arranged = Uint8Array.from(labels);
  const values = Array.from({ length: permutations }, () => {
    for (let i = cases - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [arranged[i], arranged[other]] = [arranged[other]!, arranged[i]!];
    }
    return evaluate(arranged);
  });
  return { estimate, ...sampledP(estimate, values, alternative) };
}

/**
 * Do two models differ? Compares statistic(A) - statistic(B) with its values when A's and B's scores of each case (or of
 * each cluster as a whole) are exchanged at random. Scores are replaced by their midranks first, since exchanging needs one
 * scale: right for `rocAuc` and `prAuc`. For a statistic at a threshold give probabilities and `ranks: false`.
 *
 * @throws MetricsError as `permutationTest`; `LENGTH_MISMATCH` for the clusters
 * @see Venkatraman and Begg 1996, Biometrika 83:835; Bandos, Rockette and Gur 2005, Stat Med 24:2873
 * @example
 * permutationDifferenceTest(rocAuc, labels, model, volumeOnly, { seed: 7, clusters: patients }).p
 */
export function permutationDifferenceTest(
  statistic: Statistic,
  labels: Values,
  scoresA: Values,
  scoresB: Values,
  {
    permutations = 10_000,
    seed = 0,
    alternative = 'two-sided',
    ranks = true,
    clusters,
  }: PermutationOptions & { ranks?: boolean; clusters?: ArrayLike<string | number> } = {},
): PermutationTest {
  checkLabelled(labels, scoresA, 'scoresA');
  checkLabelled(labels, scoresB, 'scoresB');
  checkOptions(permutations, seed, alternative);
  const units = resamplingStrata(labels, { stratified: false, clusters })[0]!;
  const [a, b] = ranks ? [midranks(scoresA), midranks(scoresB)] : [scoresA, scoresB];
  const labelArray = Array.from(labels);
  const evaluate = (exchanged: (unit: number) => boolean): number => {
    const [first, second] = [Array.from(a), Array.from(b)];
    units.forEach((unit, u) => {
      if (exchanged(u)) for (const i of unit) [first[i], second[i]] = [second[i]!, first[i]!];
    });
    return finite(statistic([...labelArray], first) - statistic([...labelArray], second));
  };
  const estimate = evaluate(() => false);
  const arrangements = 2 ** units.length;
  if (arrangements <= permutations) {
    const values = Array.from({ length: arrangements }, (_, bits) =>
      evaluate((unit) => ((bits >>> unit) & 1) === 1),
    );
    return { estimate, ...exactP(estimate, values, alternative) };
  }
  const random = seededRandom(seed);
  const values = Array.from({ length: permutations }, () => evaluate(() => random() < 0.5));
  return { estimate, ...sampledP(estimate, values, alternative) };
}

function checkOptions(permutations: number, seed: number, alternative: string): void {
  checkCount(permutations, 'permutations');
  if (!Number.isSafeInteger(seed)) {
    throw new MetricsError({ code: 'INVALID_OPTION', message: `seed is ${seed}: give a whole number.` });
  }
  if (!['greater', 'less', 'two-sided'].includes(alternative)) {
    throw new MetricsError({
      code: 'INVALID_OPTION',
      message: `alternative is ${String(alternative)}: give 'greater', 'less' or 'two-sided'.`,
    });
  }
}

/** `rocAuc` and `prAuc` are sorted once; any other statistic is given copies. */
function onLabels(statistic: Statistic, labels: Values, scores: Values): (arranged: Uint8Array) => number {
  const counted = countedStatistics.get(statistic);
  if (!counted)
    return (arranged) => finite(statistic(Array.from(arranged) as number[], Array.from(scores) as number[]));
  const ranking = rank(labels, scores);
  const once = new Uint32Array(labels.length).fill(1);
  return (arranged) =>
    counted({ ...ranking, labels: Uint8Array.from(ranking.order, (index) => arranged[index]!) }, once)!;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new MetricsError({ code: 'NOT_FINITE', message: `The statistic is ${value} on an arrangement.` });
}

/** n choose k, as far as it matters: Infinity beyond 2^53. */
function combinations(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) {
    product = (product * (n - i + 1)) / i;
    if (product > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  return Math.round(product);
}

/** Every way to mark `chosen` of `size` places with 1, in one reused array. */
function forEachChoice(size: number, chosen: number, visit: (marked: Uint8Array) => void): void {
  const marked = new Uint8Array(size);
  const place = (from: number, left: number): void => {
    if (left === 0) {
      visit(marked);
      return;
    }
    for (let i = from; i <= size - left; i++) {
      marked[i] = 1;
      place(i + 1, left - 1);
      marked[i] = 0;
    }
  };
  place(0, chosen);
}

function tails(estimate: number, values: number[]): { greater: number; less: number } {
  const rounding = 100 * Number.EPSILON * Math.max(1, Math.abs(estimate));
  let greater = 0;
  let less = 0;
  for (const value of values) {
    if (value >= estimate - rounding) greater++;
    if (value <= estimate + rounding) less++;
  }
  return { greater, less };
}

type Outcome = Omit<PermutationTest, 'estimate'>;
type Alternative = 'greater' | 'less' | 'two-sided';

function exactP(estimate: number, values: number[], alternative: Alternative): Outcome {
  const { greater, less } = tails(estimate, values);
  return {
    p: chosenTail(greater / values.length, less / values.length, alternative),
    permutations: values.length,
    exact: true,
  };
}

/** The data as given is one of the arrangements, so p is never 0. */
function sampledP(estimate: number, values: number[], alternative: Alternative): Outcome {
  const { greater, less } = tails(estimate, values);
  const all = values.length + 1;
  return {
    p: chosenTail((greater + 1) / all, (less + 1) / all, alternative),
    permutations: values.length,
    exact: false,
  };
}

function chosenTail(greater: number, less: number, alternative: Alternative): number {
  if (alternative === 'greater') return greater;
  return alternative === 'less' ? less : Math.min(1, 2 * Math.min(greater, less));
}
