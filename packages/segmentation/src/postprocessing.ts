import { connectedComponents, type Mask } from '@onco-response/volume';
import { z } from 'zod';
import { SegmentationError } from './segmentation-error.js';

/** Keeps the largest connected component of the voxels with any of these labels; the rest becomes background. */
export interface KeepLargest {
  readonly labels: readonly number[];
}

const NAME = 'remove_all_but_largest_component_from_segmentation';

const postprocessingSchema = z.looseObject({
  postprocessing_fns: z.array(z.string()),
  postprocessing_kwargs: z.array(
    z.looseObject({
      labels_or_regions: z.union([
        z.number().int(),
        z.array(z.union([z.number().int(), z.array(z.number().int())])),
      ]),
      background_label: z.literal(0).optional(),
    }),
  ),
});

/**
 * Reads a postprocessing.json of `nnUNetv2_find_best_configuration` (which lies beside the .pkl and says the same).
 * @throws SegmentationError INVALID_PLANS, or UNSUPPORTED for functions of someone's own
 */
export function parsePostprocessing(value: unknown): KeepLargest[] {
  const result = postprocessingSchema.safeParse(value);
  if (!result.success) {
    throw new SegmentationError({
      code: 'INVALID_PLANS',
      message: `postprocessing.json is not what nnU-Net v2 writes: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`,
    });
  }
  const { postprocessing_fns: names, postprocessing_kwargs: options } = result.data;
  const other = names.find((name) => name !== NAME);
  if (other !== undefined || names.length !== options.length) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `postprocessing.json asks for ${other ?? `${names.length} functions with ${options.length} options`}; only ${NAME} is known.`,
    });
  }
  return options.map(({ labels_or_regions: labels }) => ({ labels: [...new Set([labels].flat(2))] }));
}

/**
 * Applies nnU-Net's postprocessing in place. Components touch over faces, edges and corners; of equally large ones all
 * are kept.
 */
export function postprocess(mask: Mask, steps: readonly KeepLargest[]): void {
  for (const { labels } of steps) {
    const chosen = new Set(labels);
    const part = mask.data.map((label) => (chosen.has(label) ? 1 : 0));
    const { components, labels: found } = connectedComponents({ ...mask, data: part });
    const largest = components[0]?.voxels;
    const kept = components.filter(({ voxels }) => voxels === largest).length; // labels count from the largest
    for (let at = 0; at < part.length; at++) {
      if (found.data[at]! > kept) mask.data[at] = 0;
    }
  }
}
