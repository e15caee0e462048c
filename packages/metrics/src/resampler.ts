import { checkCount, type Values } from './check-input.js';
import { MetricsError } from './metrics-error.js';
import { seededRandom } from './seeded-random.js';

export interface ResampleOptions {
  /** how many resamples; 2000 unless given */
  resamples?: number;
  /** a whole number; 0 unless given */
  seed?: number;
  /** draw positives and negatives apart, so that each resample has as many of each as the data; true unless given */
  stratified?: boolean;
  /** one name a case, such as the patient: whole clusters are drawn, never single cases of one */
  clusters?: ArrayLike<string | number> | undefined;
}

/**
 * Calls `visit` once a resample with how often each case was drawn. The counts array is reused between calls.
 * With clusters, the strata are clusters without positives, clusters with only positives, and mixed clusters.
 */
export function forEachResample(
  labels: Values,
  { resamples = 2000, seed = 0, stratified = true, clusters }: ResampleOptions,
  visit: (counts: Uint32Array) => void,
): void {
  checkCount(resamples, 'resamples', 2);
  if (!Number.isSafeInteger(seed)) {
    throw new MetricsError({ code: 'INVALID_OPTION', message: `seed is ${seed}: give a whole number.` });
  }
  const strata = resamplingStrata(labels, { stratified, clusters });
  const random = seededRandom(seed);
  const counts = new Uint32Array(labels.length);
  // Where units are single cases, most of the time would go into their arrays of one.
  const cases =
    clusters === undefined ? strata.map((units) => Uint32Array.from(units, ([index]) => index!)) : [];
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (const own of cases) {
      const size = own.length;
      for (let draw = 0; draw < size; draw++) counts[own[Math.floor(random() * size)]!]!++;
    }
    for (const units of clusters === undefined ? [] : strata) {
      for (let draw = 0; draw < units.length; draw++) {
        for (const index of units[Math.floor(random() * units.length)]!) counts[index]!++;
      }
    }
    visit(counts);
  }
}

/** [strata][units][cases]: what is drawn apart, and what is drawn together. */
export function resamplingStrata(
  labels: Values,
  { stratified = true, clusters }: Pick<ResampleOptions, 'stratified' | 'clusters'>,
): number[][][] {
  return strataOf(unitsOf(labels, clusters), labels, stratified);
}

/** The cases drawn together: one each, or all those of a cluster. */
function unitsOf(labels: Values, clusters: ArrayLike<string | number> | undefined): number[][] {
  if (clusters === undefined) return Array.from({ length: labels.length }, (_, i) => [i]);
  if (clusters.length !== labels.length) {
    throw new MetricsError({
      code: 'LENGTH_MISMATCH',
      message: `clusters has ${clusters.length} values and labels has ${labels.length}: name one cluster a case.`,
    });
  }
  const units = new Map<string | number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const unit = units.get(clusters[i]!);
    if (unit) unit.push(i);
    else units.set(clusters[i]!, [i]);
  }
  return [...units.values()];
}

function strataOf(units: number[][], labels: Values, stratified: boolean): number[][][] {
  if (!stratified) return [units];
  const strata: number[][][] = [[], [], []];
  for (const unit of units) {
    const positives = unit.filter((index) => labels[index] === 1).length;
    strata[positives === 0 ? 0 : positives === unit.length ? 1 : 2]!.push(unit);
  }
  return strata.filter((stratum) => stratum.length > 0);
}
