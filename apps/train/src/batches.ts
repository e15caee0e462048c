import type { RandomStream } from '@onco-response/engine';

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
