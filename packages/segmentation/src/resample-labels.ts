import { countOf, sameShape } from './array-shape.js';
import { axisTaps } from './resample-axis.js';
import type { Resampling } from './resampling-plan.js';
import { SegmentationError } from './segmentation-error.js';

/**
 * A label image at another shape, as nnU-Net's `resample_data_or_seg` with batchgenerators' `resize_segmentation`: each
 * label's 0/1 image is resampled linearly and the largest wins. Of labels that score the same the nearest voxel's wins if
 * it is one of them, else the smallest (batchgenerators 0.25.5; before it, the largest label of at least 1/2).
 * @throws SegmentationError UNSUPPORTED for cubic splines, which nnU-Net's plans do not use for labels
 */
export function resampleLabels(labels: Int16Array, resampling: Resampling): Int16Array {
  const { from, to, order, apart, orderApart } = resampling;
  if (sameShape(from, to)) return labels;
  if (order === 3 || (apart !== undefined && orderApart !== 0)) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: 'This model resamples labels otherwise than linearly and by the nearest plane.',
    });
  }
  const along = ([0, 1, 2] as const).map((axis) => {
    const linear = axisTaps(from[axis], to[axis], axis === apart ? 0 : order);
    return { ...linear, nearest: axisTaps(from[axis], to[axis], 0).first, last: from[axis] - 1 };
  });
  const [alongZ, alongY, alongX] = along as [(typeof along)[0], (typeof along)[0], (typeof along)[0]];
  const [plane, row] = [from[1] * from[2], from[2]];
  const resampled = new Int16Array(countOf(to));
  const score = new Map<number, number>();
  let out = 0;
  for (let z = 0; z < to[0]; z++) {
    for (let y = 0; y < to[1]; y++) {
      for (let x = 0; x < to[2]; x++) {
        score.clear();
        for (let i = 0; i < alongZ.width; i++) {
          const inZ = alongZ.weights[z * alongZ.width + i]!;
          if (inZ === 0) continue;
          const atZ = Math.min(alongZ.first[z]! + i, alongZ.last) * plane;
          for (let j = 0; j < alongY.width; j++) {
            const inY = inZ * alongY.weights[y * alongY.width + j]!;
            if (inY === 0) continue;
            const atY = atZ + Math.min(alongY.first[y]! + j, alongY.last) * row;
            for (let k = 0; k < alongX.width; k++) {
              const weight = inY * alongX.weights[x * alongX.width + k]!;
              if (weight === 0) continue;
              const label = labels[atY + Math.min(alongX.first[x]! + k, alongX.last)]!;
              score.set(label, (score.get(label) ?? 0) + weight);
            }
          }
        }
        const nearest = labels[alongZ.nearest[z]! * plane + alongY.nearest[y]! * row + alongX.nearest[x]!]!;
        resampled[out++] = winner(score, nearest);
      }
    }
  }
  return resampled;
}

function winner(score: ReadonlyMap<number, number>, nearest: number): number {
  let [best, most] = [0, Number.NEGATIVE_INFINITY];
  for (const [label, weight] of score) {
    if (weight > most || (weight === most && label < best)) [best, most] = [label, weight];
  }
  return score.get(nearest) === most ? nearest : best;
}
