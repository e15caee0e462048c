import { type Mask, sameGrid, type Volume } from '@onco-response/volume';
import { countOf, gather, type Shape3 } from './array-shape.js';
import { datasetLabels, type NnUnetDataset } from './dataset-labels.js';
import type { NnUnetConfiguration, NnUnetPlans } from './plans.js';
import { networkGrid, preprocess, resamplings } from './preprocess.js';
import { resampleLabels } from './resample-labels.js';
import { SegmentationError } from './segmentation-error.js';

/** An image and its labels on the network's grid. */
export interface TrainingCase {
  readonly shape: Shape3;
  /** Normalised, one array a channel. */
  readonly channels: readonly Float32Array[];
  /** From 0 to the number of labels - 1. */
  readonly labels: Uint8Array;
}

/** Training cases that are loaded as they are needed. */
export interface TrainingCases {
  readonly count: number;
  load(index: number): Promise<TrainingCase>;
}

/**
 * Brings a case to the network's grid as nnU-Net's preprocessor does before training: order of axes, crop to what is not
 * 0, normalisation, resampling of the image with cubic splines and of the labels label by label.
 *
 * @param volumes one for each channel of the dataset, on one grid with the mask
 * @throws SegmentationError GEOMETRY_MISMATCH; INVALID_ARGUMENT for a label that the dataset does not name; UNSUPPORTED
 * @example
 * const prepared = prepareTrainingCase([ct], mask, plans, resolveConfiguration(plans, '3d_fullres'), dataset);
 */
export function prepareTrainingCase(
  volumes: readonly Volume[],
  mask: Mask,
  plans: NnUnetPlans,
  configuration: NnUnetConfiguration,
  dataset: NnUnetDataset,
): TrainingCase {
  const [first] = volumes as [Volume];
  if (![...volumes, mask].every((each) => sameGrid(each, first))) {
    throw new SegmentationError({
      code: 'GEOMETRY_MISMATCH',
      message:
        'The mask and all images of a case have to lie on one grid: resample the mask to the image first.',
    });
  }
  const classes = trainableClasses(dataset);
  const stranger = mask.data.find((label) => label >= classes);
  if (stranger !== undefined) {
    throw new SegmentationError({
      code: 'INVALID_ARGUMENT',
      message: `the mask has the label ${stranger}; dataset.json names labels from 0 to ${classes - 1}.`,
    });
  }
  const grid = networkGrid(volumes, plans, configuration);
  const plan = resamplings(grid, configuration);
  const labels = Int16Array.from(gather(mask.data, grid.strides, grid.box));
  return {
    shape: grid.shape,
    channels: preprocess(volumes, grid, plans, configuration, undefined) as Float32Array[],
    labels: Uint8Array.from(resampleLabels(labels, plan.labels)),
  };
}

/**
 * How many labels a network is trained for, with background.
 * @throws SegmentationError UNSUPPORTED for regions, "ignore" and labels that leave numbers out
 */
export function trainableClasses(dataset: NnUnetDataset): number {
  const { outputs, foreground, regionsClassOrder } = datasetLabels(dataset);
  const inARow = foreground.every((label, index) => label === index + 1);
  if (regionsClassOrder || 'ignore' in dataset.labels || !inARow || foreground.length === 0) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `Training takes labels 0, 1, 2 ... without regions or "ignore"; dataset.json has ${JSON.stringify(dataset.labels)}.`,
    });
  }
  return outputs.length;
}

/** Of so many voxels of each label one is drawn: nnU-Net keeps as many. */
const MAX_LOCATIONS = 10_000;

const known = new WeakMap<Uint8Array, Uint32Array[]>();

/** Voxels of each label above 0 that is there, evenly thinned to 10,000 each. Looked for once in a case. */
export function foregroundLocations(current: TrainingCase): Uint32Array[] {
  const found = known.get(current.labels) ?? findLocations(current);
  known.set(current.labels, found);
  return found;
}

function findLocations({ labels, shape }: TrainingCase): Uint32Array[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < countOf(shape); at++) {
    if (labels[at] !== 0) counts.set(labels[at]!, (counts.get(labels[at]!) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([label, count]) => {
      const kept = new Uint32Array(Math.min(count, MAX_LOCATIONS));
      let [seen, next] = [0, 0];
      for (let at = 0; next < kept.length; at++) {
        if (labels[at] !== label) continue;
        if (seen++ === Math.floor((next * count) / kept.length)) kept[next++] = at;
      }
      return kept;
    });
}
