import { RandomStream } from '@onco-response/engine';
import { countOf, type Shape3 } from './array-shape.js';
import { changeIntensities, mirrorAtRandom } from './augment-patch.js';
import { drawTransform } from './patch-transform.js';
import type { TrainingCases } from './training-case.js';
import { cutPatch, drawPatchStart, type TrainingPatch } from './training-patch.js';

export interface BatchOptions {
  readonly cases: TrainingCases;
  readonly patch: Shape3;
  readonly batchSize: number;
  /** At least this share of the patches holds lesion, the last of each batch: nnU-Net's 0.33. */
  readonly foregroundShare: number;
  readonly augment: boolean;
  readonly mirrorAxes: readonly number[];
}

/**
 * The patches of one step. They depend on the seed and the number of the step alone, so that training that is taken up
 * again sees what it would have seen.
 */
export async function drawBatch(options: BatchOptions, seed: number, step: number): Promise<TrainingPatch[]> {
  const { cases, patch, batchSize, foregroundShare, augment, mirrorAxes } = options;
  const random = new RandomStream(seed, `segmentation/step ${step}`);
  const withoutDemand = Math.round(batchSize * (1 - foregroundShare));
  const patches: TrainingPatch[] = [];
  for (let sample = 0; sample < batchSize; sample++) {
    const current = await cases.load(random.integer(cases.count));
    const start = drawPatchStart(current, patch, sample >= withoutDemand, random);
    const cut = cutPatch(current, start, patch, augment ? drawTransform(patch, random) : undefined);
    if (augment) changeIntensities(cut, current.channels.length, random);
    patches.push(augment ? mirrorAtRandom(cut, patch, mirrorAxes, random) : cut);
  }
  return patches;
}

/** Labels at a coarser resolution: of each block the voxel just past its middle, as torch's 'nearest-exact'. */
export function downsampleLabels(labels: Uint8Array, shape: Shape3, factors: Shape3): Uint8Array {
  const sizes = shape.map((size, axis) => size / factors[axis]!) as unknown as Shape3;
  const [half0, half1, half2] = factors.map((factor) => Math.floor(factor / 2)) as unknown as Shape3;
  const coarse = new Uint8Array(countOf(sizes));
  let to = 0;
  for (let i = 0; i < sizes[0]; i++) {
    for (let j = 0; j < sizes[1]; j++) {
      const row = ((i * factors[0] + half0) * shape[1] + j * factors[1] + half1) * shape[2] + half2;
      for (let k = 0; k < sizes[2]; k++) coarse[to++] = labels[row + k * factors[2]]!;
    }
  }
  return coarse;
}
