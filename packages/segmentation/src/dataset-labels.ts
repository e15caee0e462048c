import { z } from 'zod';
import { SegmentationError } from './segmentation-error.js';

const datasetSchema = z.looseObject({
  channel_names: z.record(z.string(), z.string()).optional(),
  /** The name that nnU-Net v1 gave to it. */
  modality: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.union([z.number().int(), z.array(z.number().int()).min(1)])),
  regions_class_order: z.array(z.number().int().nonnegative()).nullable().optional(),
});

/** What the network's outputs mean: nnU-Net's LabelManager. */
export interface DatasetLabels {
  /** Names of the image channels in their order. */
  readonly channels: readonly string[];
  /** Names of the network's outputs in their order: labels from background on, or regions without it. */
  readonly outputs: readonly string[];
  /** For regions: the label that each writes, later ones over earlier ones. Undefined for labels. */
  readonly regionsClassOrder: readonly number[] | undefined;
  /** Labels above 0 and without "ignore", in order: the cascade's one-hot channels. */
  readonly foreground: readonly number[];
}

/** A dataset.json of nnU-Net v2 as it was read. */
export type NnUnetDataset = z.infer<typeof datasetSchema>;

/**
 * Checks a dataset.json of nnU-Net v2.
 * @throws SegmentationError INVALID_DATASET
 */
export function parseDataset(value: unknown): NnUnetDataset {
  const result = datasetSchema.safeParse(value);
  if (!result.success) {
    fail(`it is not what nnU-Net v2 writes: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`);
  }
  return result.data;
}

/**
 * The labels and channels of a dataset. As in nnU-Net a dataset has regions where any entry lists several labels; its
 * outputs are then the entries in file order without background and "ignore".
 * @throws SegmentationError INVALID_DATASET; UNSUPPORTED for labels above 255
 */
export function datasetLabels(dataset: NnUnetDataset): DatasetLabels {
  const names = dataset.channel_names ?? dataset.modality;
  if (!names) fail('it has neither "channel_names" nor "modality"');
  const entries = Object.entries(dataset.labels).filter(([name]) => name !== 'ignore');
  if (dataset.labels.background !== 0) fail('"labels" has to say "background": 0');
  const values = [...new Set(entries.flatMap(([, value]) => value))].sort((a, b) => a - b);
  const hasRegions = entries.some(([, value]) => Array.isArray(value) && value.length > 1);
  const order = dataset.regions_class_order ?? undefined;
  if (values.at(-1)! > 255 || order?.some((label) => label > 255)) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `dataset.json has the label ${values.at(-1)}; masks hold labels up to 255.`,
    });
  }
  const channels = Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => name);
  const foreground = values.filter((label) => label !== 0);
  if (!hasRegions) {
    const nameOf = (label: number): string =>
      entries.find(([, value]) => (Array.isArray(value) ? value[0] : value) === label)![0];
    return { channels, outputs: values.map(nameOf), regionsClassOrder: undefined, foreground };
  }
  const regions = entries.filter(([, value]) => ![value].flat().every((label) => label === 0));
  if (order?.length !== regions.length) {
    fail(`it has ${regions.length} regions, and "regions_class_order" names ${order?.length ?? 'none'}`);
  }
  return { channels, outputs: regions.map(([name]) => name), regionsClassOrder: order, foreground };
}

function fail(what: string): never {
  throw new SegmentationError({ code: 'INVALID_DATASET', message: `dataset.json: ${what}.` });
}
