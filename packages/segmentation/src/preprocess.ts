import type { Mask, Volume } from '@onco-response/volume';
import { countOf, gather, permuted, reversed, type Shape3, stridesOf } from './array-shape.js';
import { insideMask, nonzeroBox, type Range3 } from './nonzero-box.js';
import { normalise } from './normalisation.js';
import type { NnUnetConfiguration, NnUnetPlans } from './plans.js';
import { resampleImage } from './resample-image.js';
import { resampleLabels } from './resample-labels.js';
import { planResampling, type Resampling, shapeAtSpacing } from './resampling-plan.js';
import type { InputChannel } from './sliding-window.js';

/** Where the network's grid lies in the given volumes. */
export interface NetworkGrid {
  /** Array axes [z, y, x] of the volumes in the model's order: `transpose_forward`. */
  readonly axes: readonly number[];
  /** Steps in the volumes' memory along the model's axes. */
  readonly strides: Shape3;
  /** The box of voxels that are not 0, along the model's axes. */
  readonly box: Range3;
  readonly cropped: Shape3;
  /** Voxels that the network sees. */
  readonly shape: Shape3;
  /** Of the volumes and of the network, along the model's axes. */
  readonly spacing: Shape3;
  readonly target: Shape3;
}

/** The network's grid for these volumes, which share one grid of their own. */
export function networkGrid(
  volumes: readonly Volume[],
  plans: NnUnetPlans,
  configuration: NnUnetConfiguration,
): NetworkGrid {
  const [first] = volumes as [Volume];
  const axes = plans.transpose_forward;
  const size = reversed(first.size);
  const inOrder = nonzeroBox(
    volumes.map(({ data }) => data),
    size,
  );
  const box = permuted(inOrder, axes) as unknown as Range3;
  const cropped = box.map(([start, end]) => end - start) as unknown as Shape3;
  const spacing = permuted(reversed(first.spacing), axes);
  // a 2D model keeps the distance of the planes
  const target = [
    ...spacing.slice(0, 3 - configuration.spacing.length),
    ...configuration.spacing,
  ] as unknown as Shape3;
  const shape = shapeAtSpacing(cropped, spacing, target);
  return { axes, strides: permuted(stridesOf(size), axes), box, cropped, shape, spacing, target };
}

/** Also refuses, before anything is computed, a model whose way of resampling is not known. */
export function resamplings(
  { cropped, shape, spacing, target }: NetworkGrid,
  configuration: NnUnetConfiguration,
): { image: Resampling; labels: Resampling; logits: Resampling } {
  const plan = (kind: 'data' | 'seg'): Resampling =>
    planResampling(
      cropped,
      shape,
      spacing,
      target,
      configuration[`resampling_fn_${kind}`],
      configuration[`resampling_fn_${kind}_kwargs`],
    );
  return {
    image: plan('data'),
    labels: plan('seg'),
    logits: planResampling(
      shape,
      cropped,
      target,
      spacing,
      configuration.resampling_fn_probabilities,
      configuration.resampling_fn_probabilities_kwargs,
    ),
  };
}

/**
 * The network's input, as nnU-Net's DefaultPreprocessor makes it: axes in the model's order, cropped to what is not 0,
 * normalised, resampled; for a cascade the previous stage's labels besides, one channel for each of `foreground`.
 */
export function preprocess(
  volumes: readonly Volume[],
  grid: NetworkGrid,
  plans: NnUnetPlans,
  configuration: NnUnetConfiguration,
  previous: { mask: Mask; foreground: readonly number[] } | undefined,
): InputChannel[] {
  const plan = resamplings(grid, configuration);
  const intensities =
    plans.foreground_intensity_properties_per_channel ?? plans.foreground_intensity_properties_by_modality;
  const usesMask = configuration.use_mask_for_norm.some((uses) => uses);
  const crop = ({ data }: Volume): Float32Array => gather(data, grid.strides, grid.box);
  const inside = usesMask || previous ? insideMask(volumes.map(crop), grid.cropped) : undefined;
  let labels: Int16Array | undefined;
  if (previous) {
    labels = Int16Array.from(crop(previous.mask));
    // outside is a label of its own, -1, that takes part in the resampling; a label of the previous stage is inside
    for (let at = 0; at < labels.length; at++) {
      if (labels[at] !== 0) inside![at] = 1;
      else if (inside![at] === 0) labels[at] = -1;
    }
  }
  const channels = volumes.map((volume, index): InputChannel => {
    const image = crop(volume);
    const mask = configuration.use_mask_for_norm[index] ? inside : undefined;
    const scheme = configuration.normalization_schemes[index] ?? 'missing';
    normalise(scheme, image, mask, { index, properties: intensities?.[String(index)] });
    return resampleImage(image, plan.image);
  });
  if (!previous) return channels;
  const resampled = resampleLabels(labels!, plan.labels);
  return [...channels, ...previous.foreground.map((label) => ({ labels: resampled, label }))];
}

/** Bytes that `preprocess` needs at its largest, besides the volumes. */
export function preprocessingBytes(grid: NetworkGrid, channels: number, cascade: boolean): number {
  const [given, seen] = [countOf(grid.cropped), countOf(grid.shape)];
  // one channel at a time as it is cropped, half resampled (planes done, depth not yet) and done; the others are done
  const halfway = given === seen ? 0 : 4 * grid.cropped[0] * grid.shape[1] * grid.shape[2];
  const labels = cascade ? 3 * given + 2 * seen : 0;
  return 4 * given + halfway + 4 * channels * seen + labels;
}
