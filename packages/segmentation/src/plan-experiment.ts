import { countOf, permuted, roundHalfEven, type Shape3 } from './array-shape.js';
import { datasetLabels, type NnUnetDataset } from './dataset-labels.js';
import type { DatasetFingerprint } from './fingerprint.js';
import { architectureOf, type PlanBudget, type PlannedNetwork, planNetwork } from './plan-configuration.js';
import { type NnUnetPlans, parsePlans } from './plans.js';
import { shapeAtSpacing } from './resampling-plan.js';
import { targetSpacing } from './target-spacing.js';
import type { Codebook, NetworkKind } from './unet-architecture.js';
import { quantile } from './weighted-quantile.js';

export interface PlanOptions {
  /** Written into the plans. Default 'nnUNetPlans'. */
  readonly plansName?: string;
  readonly datasetName?: string;
  /** Features of the first stage. nnU-Net's 32 unless given; 8 to 16 are trained on a CPU. */
  readonly featuresBase?: number;
  /** Most features of any stage. Default nnU-Net's: 320 in 3D, 512 in 2D. */
  readonly maxFeatures?: number;
  /** As nnU-Net counts memory. Default 8. */
  readonly memoryGb?: number;
  /** Ours: sides that no patch goes beyond (before it is made divisible), in the model's order of axes. */
  readonly maxPatch?: Shape3 | undefined;
  /** Ours: in place of the batch that follows from memory. */
  readonly batchSize?: number | undefined;
  /** mm along [z, y, x], in place of the median's rule. */
  readonly spacing?: Shape3 | undefined;
  /** The network on the planned stages. Default 'plainUnet', nnU-Net's. nnU-Net itself does not know the others. */
  readonly architecture?: NetworkKind | undefined;
  /** Of 'vectorQuantisedUnet'. Default the reference's: 1024 vectors of 256 features, commitment 0.25. */
  readonly codebook?: { readonly [Key in keyof Codebook]?: Codebook[Key] | undefined } | undefined;
}

/** A coarser configuration is added where a patch covers less of the median image than this. */
const LOWRES_BELOW = 0.25;
const LOWRES_STEP = 1.03;

const NORMALISATIONS = new Map([
  ['ct', 'CTNormalization'],
  ['nonorm', 'NoNormalization'],
  ['zscore', 'ZScoreNormalization'],
  ['rescale_to_0_1', 'RescaleTo01Normalization'],
  ['rgb_to_0_1', 'RGBTo01Normalization'],
]);

/**
 * plans.json for a dataset, by the rules of nnU-Net v2's ExperimentPlanner: target spacing, order of axes, normalisation,
 * and for 2D, 3d_fullres and where images are large 3d_lowres and the cascade the patch, the topology, the features and
 * the batch. Without options of ours the plans are nnU-Net's, key by key.
 *
 * @param dataset dataset.json, with `numTraining`
 * @throws SegmentationError INVALID_DATASET
 * @example
 * const plans = planExperiment(datasetFingerprint(cases), dataset, { featuresBase: 8, maxPatch: [32, 64, 64] });
 */
export function planExperiment(
  fingerprint: DatasetFingerprint,
  dataset: NnUnetDataset,
  options: PlanOptions = {},
): NnUnetPlans {
  const { plansName = 'nnUNetPlans', featuresBase = 32, memoryGb = 8, maxPatch, batchSize } = options;
  const { architecture: kind = 'plainUnet' } = options;
  const { size = 1024, features = 256, commitment = 0.25 } = options.codebook ?? {};
  const codebook: Codebook = { size, features, commitment };
  const maxFeatures = { 2: options.maxFeatures ?? 512, 3: options.maxFeatures ?? 320 };
  const budget: PlanBudget = { featuresBase, maxFeatures, memoryGb, maxPatch, batchSize };
  const { channels } = datasetLabels(dataset);
  const { spacings, shapes_after_crop: shapes } = fingerprint as unknown as {
    spacings: readonly Shape3[];
    shapes_after_crop: readonly Shape3[];
  };
  const fullSpacing = options.spacing ?? targetSpacing(spacings, shapes);
  const thickest = fullSpacing.indexOf(Math.max(...fullSpacing));
  const forward = [thickest, ...[0, 1, 2].filter((axis) => axis !== thickest)];
  const backward = [0, 1, 2].map((axis) => forward.indexOf(axis));
  const spacing = permuted(fullSpacing, forward);
  const resampled = shapes.map((shape, index) => shapeAtSpacing(shape, spacings[index]!, fullSpacing));
  const medianShape = permuted(medians(resampled), forward);
  const cases = Number(dataset.numTraining);
  const outputs = Object.keys(dataset.labels).length; // nnU-Net counts "ignore" and background, too

  const usesMask = fingerprint.median_relative_size_after_cropping < 3 / 4;
  const schemes = channels.map((name) => NORMALISATIONS.get(name.toLowerCase()) ?? 'ZScoreNormalization');
  const common = {
    normalization_schemes: schemes,
    use_mask_for_norm: schemes.map((scheme) => usesMask && scheme === 'ZScoreNormalization'),
    ...RESAMPLING,
  };
  const plan = (name: string, at: readonly number[], shape: readonly number[], voxels: number) => {
    const network = planNetwork(at, shape, voxels, outputs, budget);
    const architecture = architectureOf(network, kind, codebook);
    return { network, written: written(`${plansName}_${name}`, network, at, shape, common, architecture) };
  };

  const voxels = countOf(medianShape);
  const configurations: Record<string, Record<string, unknown>> = {};
  const flat = plan('2d', spacing.slice(1), medianShape.slice(1), voxels * cases);
  configurations['2d'] = { ...flat.written, batch_dice: true };
  if (medianShape[0] !== 1) {
    const full = plan('3d_fullres', spacing, medianShape, voxels * cases);
    const low = lowerResolution(
      spacing,
      medianShape,
      countOf(full.network.topology.patch),
      (at, shape, count) => plan('3d_lowres', at, shape, count * cases),
    );
    if (low) {
      configurations['3d_lowres'] = { ...low.written, batch_dice: false, next_stage: '3d_cascade_fullres' };
    }
    configurations['3d_fullres'] = { ...full.written, batch_dice: low !== undefined };
    if (low) {
      configurations['3d_cascade_fullres'] = { inherits_from: '3d_fullres', previous_stage: '3d_lowres' };
    }
  }
  return parsePlans({
    dataset_name: options.datasetName ?? String(dataset.name ?? 'dataset'),
    plans_name: plansName,
    original_median_spacing_after_transp: permuted(medians(spacings), forward),
    original_median_shape_after_transp: permuted(medians(shapes), forward).map(roundHalfEven),
    image_reader_writer: 'SimpleITKIO',
    transpose_forward: forward,
    transpose_backward: backward,
    configurations,
    experiment_planner_used: 'ExperimentPlanner',
    label_manager: 'LabelManager',
    foreground_intensity_properties_per_channel: fingerprint.foreground_intensity_properties_per_channel,
  });
}

type Planned = { network: PlannedNetwork; written: Record<string, unknown> };

/** Voxels grow, the thin ones first, until a patch covers a quarter of the image; undefined where that saves too little. */
function lowerResolution(
  spacing: Shape3,
  medianShape: Shape3,
  patchVoxels: number,
  plan: (spacing: Shape3, shape: Shape3, voxels: number) => Planned,
): Planned | undefined {
  let low = spacing;
  let voxels = countOf(medianShape);
  let covered = patchVoxels;
  let found: Planned | undefined;
  while (covered / voxels < LOWRES_BELOW) {
    const longest = Math.max(...low);
    const isThin = low.map((mm) => longest / mm > 2);
    const all = !isThin.includes(true);
    low = low.map((mm, axis) => (all || isThin[axis] ? mm * LOWRES_STEP : mm)) as unknown as Shape3;
    const shape = medianShape.map((size, axis) => (spacing[axis]! / low[axis]!) * size);
    voxels = countOf(shape);
    found = plan(low, shape.map(roundHalfEven) as unknown as Shape3, voxels);
    covered = countOf(found.network.topology.patch);
  }
  return countOf(medianShape) / voxels < 2 ? undefined : found;
}

function written(
  identifier: string,
  network: PlannedNetwork,
  spacing: readonly number[],
  medianShape: readonly number[],
  common: Record<string, unknown>,
  architecture: Record<string, unknown>,
): Record<string, unknown> {
  return {
    data_identifier: identifier,
    preprocessor_name: 'DefaultPreprocessor',
    batch_size: network.batchSize,
    patch_size: network.topology.patch,
    median_image_size_in_voxels: medianShape,
    spacing,
    ...common,
    architecture,
  };
}

const medians = (rows: readonly Shape3[]): Shape3 =>
  [0, 1, 2].map((axis) =>
    quantile(
      rows.map((row) => row[axis]!),
      0.5,
    ),
  ) as unknown as Shape3;

const splines = (order: number, isLabels: boolean) => ({
  is_seg: isLabels,
  order,
  order_z: 0,
  force_separate_z: null,
});

const RESAMPLING = {
  resampling_fn_data: 'resample_data_or_seg_to_shape',
  resampling_fn_seg: 'resample_data_or_seg_to_shape',
  resampling_fn_data_kwargs: splines(3, false),
  resampling_fn_seg_kwargs: splines(1, true),
  resampling_fn_probabilities: 'resample_data_or_seg_to_shape',
  resampling_fn_probabilities_kwargs: splines(1, false),
};
