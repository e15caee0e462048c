import { balancedPatientBatches } from '@onco-response/cohort';
import { type RandomState, RandomStream } from '@onco-response/engine';
import type { Study } from './study.js';

/** Deals training cases into batches, epoch by epoch. */
export interface Sampler {
  batchesPerEpoch: number;
  /** Indices of cases, batch by batch; epochs are asked for one after the other, from 0. */
  batches(epoch: number): number[][];
  /** From which the batches of the next epoch follow. */
  state(): RandomState;
  restore(state: RandomState): void;
}

/** The sampler that a study names. Errors are those of cohort's `balancedPatientBatches`. */
export function createSampler(
  cases: readonly { caseId: string; patientId?: string; label: 0 | 1 }[],
  { sampler, batchSize }: Pick<Study['training'], 'sampler' | 'batchSize'>,
  seed: number,
): Sampler {
  const random = new RandomStream(seed, 'order of cases');
  const labels = cases.map(({ label }) => label);
  const patients = cases.map(({ patientId, caseId }) => patientId ?? caseId);
  const perClass = Math.max(1, batchSize >> 1);
  const balanced = (epoch: number) => balancedPatientBatches({ patients, labels, perClass, seed, epoch });
  return {
    batchesPerEpoch: sampler === 'shuffle' ? Math.ceil(cases.length / batchSize) : balanced(0).length,
    batches: (epoch) =>
      sampler === 'shuffle' ? stratifiedBatches(labels, batchSize, random) : balanced(epoch),
    state: () => random.state(),
    restore: (state) => random.restore(state),
  };
}

/**
 * One epoch: every case once, in batches of nearly equal size that all hold both classes in the cohort's proportion as
 * nearly as whole cases allow. The contrastive losses need both classes in a step.
 *
 * @returns indices into `labels`, batch by batch
 */
export function stratifiedBatches(
  labels: readonly number[],
  batchSize: number,
  random: RandomStream,
): number[][] {
  const batches: number[][] = Array.from({ length: Math.ceil(labels.length / batchSize) }, () => []);
  let next = 0;
  for (const label of [1, 0]) {
    const ofLabel = labels.flatMap((each, index) => (each === label ? [index] : []));
    // Dealing goes on where the other class stopped, so that sizes differ by at most one.
    for (const index of random.shuffle(ofLabel)) batches[next++ % batches.length]?.push(index);
  }
  return random.shuffle(batches);
}
