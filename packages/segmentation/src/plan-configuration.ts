import { countOf, roundHalfEven } from './array-shape.js';
import { CONVOLUTIONS, featureMapSize } from './feature-map-size.js';
import { type NetworkTopology, networkTopology } from './network-topology.js';
import { type Codebook, NETWORK_CLASSES, type NetworkKind } from './unet-architecture.js';

/** How large networks may be. All but the last two are nnU-Net's own numbers. */
export interface PlanBudget {
  /** Features of the first stage; each stage has twice as many. nnU-Net: 32. */
  readonly featuresBase: number;
  /** nnU-Net: 320 in 3D, 512 in 2D. */
  readonly maxFeatures: { readonly 2: number; readonly 3: number };
  /** Memory that a step may take, as nnU-Net counts it. Default 8, its own. */
  readonly memoryGb: number;
  /** Ours: sides that a patch does not go beyond before it is made divisible, in the model's order of axes. */
  readonly maxPatch: readonly number[] | undefined;
  /** Ours: the batch in place of the one that follows from memory. */
  readonly batchSize: number | undefined;
}

export interface PlannedNetwork {
  readonly topology: NetworkTopology;
  readonly features: readonly number[];
  readonly batchSize: number;
}

/** Feature map elements that fit into 8 GB with a batch of so many, in 2D and in 3D: nnU-Net's references. */
const REFERENCE = {
  2: { elements: 85_000_000, batch: 12 },
  3: { elements: 560_000_000, batch: 2 },
};
const REFERENCE_GB = 8;
const MIN_BATCH = 2;
/** A batch covers no more of the dataset than this. */
const MAX_COVERED = 0.05;
/** Voxels of the first guess, which is larger than anything that fits. */
const FIRST_GUESS = { 2: 2048 ** 2, 3: 256 ** 3 };

/**
 * The patch, the network for it and the batch, by the rules of nnU-Net's ExperimentPlanner: a patch of the voxels' aspect
 * ratio no larger than the median image, made smaller along the axis that covers most of the image until the network fits.
 *
 * @param spacing two or three numbers in the model's order of axes
 * @param medianShape of the images at that spacing
 * @param datasetVoxels about how many there are in all images at that spacing
 */
export function planNetwork(
  spacing: readonly number[],
  medianShape: readonly number[],
  datasetVoxels: number,
  outputs: number,
  budget: PlanBudget,
): PlannedNetwork {
  const dimensions = spacing.length as 2 | 3;
  const densities = spacing.map((mm) => 1 / mm);
  const scale = (FIRST_GUESS[dimensions] / countOf(densities)) ** (1 / dimensions);
  const limit = budget.maxPatch?.slice(-dimensions);
  const initial = densities.map((density, axis) =>
    Math.min(roundHalfEven(density * scale), medianShape[axis]!, limit?.[axis] ?? Number.POSITIVE_INFINITY),
  );
  const featuresOf = ({ strides }: NetworkTopology): number[] =>
    strides.map((_, stage) => Math.min(budget.featuresBase * 2 ** stage, budget.maxFeatures[dimensions]));
  const measure = (topology: NetworkTopology): number =>
    featureMapSize(topology, featuresOf(topology), outputs);

  const { elements, batch } = REFERENCE[dimensions];
  const reference = elements * (budget.memoryGb / REFERENCE_GB);
  let topology = networkTopology(spacing, initial);
  let estimate = measure(topology);
  while ((estimate / batch) * MIN_BATCH > reference) {
    const patch = [...topology.patch];
    const covered = patch.map((side, axis) => side / medianShape[axis]!);
    const axis = covered.lastIndexOf(Math.max(...covered));
    // the step that the next smaller patch would be divisible by: no valid size in between is left out
    const smaller = patch.map((side, at) => (at === axis ? side - topology.divisor[axis]! : side));
    patch[axis]! -= networkTopology(spacing, smaller).divisor[axis]!;
    if (patch[axis]! < 1) break; // nothing is left to make smaller
    topology = networkTopology(spacing, patch);
    estimate = measure(topology);
  }
  const fits = roundHalfEven((reference / estimate) * batch);
  const covers = roundHalfEven((datasetVoxels * MAX_COVERED) / countOf(topology.patch));
  return {
    topology,
    features: featuresOf(topology),
    batchSize: budget.batchSize ?? Math.max(Math.min(fits, covers), MIN_BATCH),
  };
}

/** A network in the words of plans.json; those of ours are the plain one with their own name and numbers. */
export function architectureOf(
  { topology, features }: PlannedNetwork,
  kind: NetworkKind,
  codebook: Codebook,
): Record<string, unknown> {
  const stages = features.length;
  const dimensions = topology.patch.length;
  return {
    network_class_name: NETWORK_CLASSES[kind],
    arch_kwargs: {
      n_stages: stages,
      features_per_stage: features,
      conv_op: `torch.nn.modules.conv.Conv${dimensions}d`,
      kernel_sizes: topology.kernels,
      strides: topology.strides,
      n_conv_per_stage: Array(stages).fill(CONVOLUTIONS),
      n_conv_per_stage_decoder: Array(stages - 1).fill(CONVOLUTIONS),
      conv_bias: true,
      norm_op: `torch.nn.modules.instancenorm.InstanceNorm${dimensions}d`,
      norm_op_kwargs: { eps: 1e-5, affine: true },
      dropout_op: null,
      dropout_op_kwargs: null,
      nonlin: 'torch.nn.LeakyReLU',
      nonlin_kwargs: { inplace: true },
      ...(kind === 'vectorQuantisedUnet' && {
        codebook_size: codebook.size,
        codebook_features: codebook.features,
        commitment: codebook.commitment,
      }),
    },
    _kw_requires_import: ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
  };
}
