import {
  createVolume,
  type Mask,
  orientationOf,
  reorient,
  sameGrid,
  type Volume,
} from '@onco-response/volume';
import { gather, type Shape3 } from './array-shape.js';
import { type DatasetLabels, datasetLabels } from './dataset-labels.js';
import { decisionFor } from './decide-label.js';
import { memoryEstimate } from './memory-estimate.js';
import type { SegmentationNetwork } from './network.js';
import { tilePredictor } from './network-tiles.js';
import type { NnUnetConfiguration } from './plans.js';
import { poolBottleneck } from './pool-bottleneck.js';
import { postprocess } from './postprocessing.js';
import { type NetworkGrid, networkGrid, preprocess, resamplings } from './preprocess.js';
import { resampleLabels } from './resample-labels.js';
import { LogitResampler, type VoxelSink } from './resample-logits.js';
import { SegmentationError } from './segmentation-error.js';
import type {
  BottleneckFeatures,
  BottleneckOptions,
  MaskWithProbabilities,
  SegmenterParts,
  SegmentOptions,
} from './segmenter-options.js';
import { slideWindow } from './sliding-window.js';
import { readArchitecture } from './unet-architecture.js';

/** Readers of nnU-Net that turn images to right-anterior-superior before anything else. */
const REORIENTING = new Set(['NibabelIOWithReorient', 'SimpleITKIOWithReorient']);
const READERS = new Set([...REORIENTING, 'SimpleITKIO', 'NibabelIO', 'NaturalImage2DIO', 'Tiff3DIO']);

/** A trained nnU-Net v2 model that segments volumes. Made by `loadNnUnet`. */
export class Segmenter {
  /** Names of the image channels that `segment` takes, in their order. */
  readonly channels: readonly string[];
  /** The labels besides background that a mask of this model can hold, by the names of dataset.json (for regions, of the region that writes the label). */
  readonly labelNames: Readonly<Record<string, number>>;
  /** What the model is: folds, configuration, trainer, postprocessing. To be stored beside every result. */
  readonly description: Readonly<Record<string, unknown>>;
  private readonly parts: SegmenterParts;
  private readonly labels: DatasetLabels;

  /** @throws SegmentationError UNSUPPORTED for a preprocessor, reader or label manager of someone's own; INVALID_DATASET */
  constructor(parts: SegmenterParts) {
    this.parts = parts;
    this.labels = datasetLabels(parts.dataset);
    this.channels = this.labels.channels;
    const { foreground, outputs, regionsClassOrder } = this.labels;
    const names = regionsClassOrder ? outputs : outputs.slice(1); // labels begin with background
    this.labelNames = Object.fromEntries(
      names.map((name, at) => [name, (regionsClassOrder ?? foreground)[at]!]),
    );
    this.description = parts.description;
    const { plans, configuration } = parts;
    for (const [what, name, known] of [
      ['preprocessor', configuration.preprocessor_name, new Set(['DefaultPreprocessor'])],
      ['reader', plans.image_reader_writer, READERS],
      ['label manager', plans.label_manager, new Set(['LabelManager'])],
    ] as const) {
      if (known.has(name)) continue;
      throw new SegmentationError({
        code: 'UNSUPPORTED',
        message: `This model has the ${what} "${name}"; known are ${[...known].join(', ')}.`,
      });
    }
  }

  /**
   * Segments an image as `nnUNetv2_predict` does: one volume for each of `channels`, all on one grid. Labels are those of
   * dataset.json; voxels outside of the box of non-zero voxels are background. As in nnU-Net the direction of the axes is
   * not looked at (unless the model was trained with a reader that reorients), their order and spacing are.
   *
   * Memory besides the volumes does not grow with planes x classes: tiles are summed for as many planes as a tile is deep
   * and resampled as they are done. `estimateMemory` says how much is needed.
   *
   * @throws SegmentationError GEOMETRY_MISMATCH, INVALID_ARGUMENT, TOO_LARGE, UNSUPPORTED; the signal's reason where it
   * was aborted
   * @example
   * const mask = await segmenter.segment([ct], { onProgress: ({ done, total }) => console.log(done, total) });
   */
  segment(
    volumes: readonly Volume[],
    options: SegmentOptions & { probabilities: true },
  ): Promise<MaskWithProbabilities>;
  segment(volumes: readonly Volume[], options?: SegmentOptions): Promise<Mask>;
  async segment(volumes: readonly Volume[], options: SegmentOptions = {}): Promise<Mask> {
    this.checkVolumes(volumes);
    const turned = this.turned(volumes);
    const turns = turned !== volumes;
    const given = orientationOf(volumes[0]!);
    const previous = await this.previousStage(volumes, options);
    const mask = await this.predict(
      turned,
      previous && turns ? reorient(previous, 'RAS') : previous,
      options,
    );
    postprocess(mask, this.parts.postprocessing ?? []);
    if (!turns) return mask;
    const back = reorient(mask, given);
    const { size, spacing, origin, direction } = volumes[0]!;
    const grid = { size, spacing, origin, direction }; // turning there and back moves origins by rounding errors
    return 'probabilities' in mask
      ? ({
          ...back,
          ...grid,
          probabilities: (mask as MaskWithProbabilities).probabilities.map(({ name, volume }) => ({
            name,
            volume: { ...reorient(volume, given), ...grid },
          })),
        } as MaskWithProbabilities)
      : { ...back, ...grid };
  }

  /**
   * The features of the network's bottleneck for an image, one number each: the mean over the voxels of the network's grid
   * that `pooling` says, tiles as in `segment`, without mirroring. Of a vector-quantised network they are the codebook's
   * vectors (or what those were made of: `features`), and `codebook` is the histogram of their use over the same voxels, with its perplexity.
   *
   * @throws SegmentationError as `segment`; INVALID_ARGUMENT for several folds, whose features have nothing in common
   * @see Janse et al. 2025: a forest on such features predicts residual cancer burden
   * @example
   * const { features } = await segmenter.bottleneckFeatures([ct], { pooling: 'maskedMean', mask });
   */
  async bottleneckFeatures(
    volumes: readonly Volume[],
    options: BottleneckOptions = {},
  ): Promise<BottleneckFeatures> {
    this.checkVolumes(volumes);
    const { pooling = 'mean', features = 'quantised', signal, onProgress, step = 0.5 } = options;
    const { plans, configuration, networks } = this.parts;
    const [network] = networks as [SegmentationNetwork];
    if (networks.length > 1 || !(step > 0 && step <= 1)) {
      throw new SegmentationError({
        code: 'INVALID_ARGUMENT',
        message:
          networks.length > 1
            ? `${networks.length} folds are ${networks.length} networks, and each has features of its own: load one, with folds: [0].`
            : `step has to lie in (0, 1], not ${step}.`,
      });
    }
    if (options.mask && !sameGrid(options.mask, volumes[0]!)) {
      throw new SegmentationError({
        code: 'GEOMETRY_MISMATCH',
        message: 'The mask has to lie on the grid of the volumes: resample it to them first.',
      });
    }
    const turned = this.turned(volumes);
    const inOrder = <T extends Volume>(volume: T): T =>
      turned === volumes ? volume : (reorient(volume, 'RAS') as T);
    const previous = await this.previousStage(volumes, options);
    const mask =
      pooling === 'maskedMean' ? (options.mask ?? (await this.segment(volumes, options))) : undefined;
    const grid = networkGrid(turned, plans, configuration);
    const plan = resamplings(grid, configuration);
    const region =
      mask &&
      resampleLabels(
        Int16Array.from(gather(inOrder(mask).data, grid.strides, grid.box), (label) => Number(label > 0)),
        plan.labels,
      );
    const masked = region?.includes(1) ?? false;
    const { foreground } = this.labels;
    const pooled = await poolBottleneck({
      network,
      channels: preprocess(
        turned,
        grid,
        plans,
        configuration,
        previous && { mask: inOrder(previous), foreground },
      ),
      shape: grid.shape,
      tile: tileOf(configuration),
      region: masked ? region : undefined,
      features,
      step,
      signal,
      onTile: (done, total) => onProgress?.({ stage: 'bottleneck', done, total }),
    });
    return { ...pooled, pooling: masked ? 'maskedMean' : 'mean' };
  }

  /**
   * Bytes that `segment` needs for these volumes besides them, with the same options: an upper estimate from the sizes of
   * its arrays. The activations of the network are counted as 12 times its widest layer on one tile.
   */
  estimateMemory(volumes: readonly Volume[], options: SegmentOptions = {}): number {
    this.checkVolumes(volumes);
    const { plans, configuration, networks, previous } = this.parts;
    const grid = networkGrid(this.turned(volumes), plans, configuration);
    const own = this.bytesFor(grid, volumes, options, networks.length);
    return options.previous ? own : Math.max(own, previous?.estimateMemory(volumes, options) ?? 0);
  }

  /** Frees the networks' weights, also of the stage before. */
  dispose(): void {
    for (const network of this.parts.networks) network.dispose();
    this.parts.previous?.dispose();
  }

  /** The volumes as the model's reader gives them. */
  private turned(volumes: readonly Volume[]): readonly Volume[] {
    const turns =
      REORIENTING.has(this.parts.plans.image_reader_writer) && orientationOf(volumes[0]!) !== 'RAS';
    return turns ? volumes.map((volume) => reorient(volume, 'RAS')) : volumes;
  }

  private bytesFor(
    grid: NetworkGrid,
    volumes: readonly Volume[],
    { probabilities = false }: SegmentOptions,
    sums: number,
  ): number {
    const { configuration, postprocessing = [] } = this.parts;
    return memoryEstimate({
      grid,
      tile: tileOf(configuration),
      voxels: volumes[0]!.data.length,
      channels: this.channels.length,
      outputs: this.labels.outputs.length,
      sums,
      features: readArchitecture(configuration).features[0]!,
      cascade: Boolean(configuration.previous_stage),
      probabilities,
      postprocessing: postprocessing.length > 0,
    });
  }

  private async previousStage(
    volumes: readonly Volume[],
    options: SegmentOptions,
  ): Promise<Mask | undefined> {
    const { configuration, previous } = this.parts;
    const name = configuration.previous_stage ?? undefined;
    if (name === undefined) return undefined;
    if (options.previous) {
      if (sameGrid(options.previous, volumes[0]!)) return options.previous;
      throw new SegmentationError({
        code: 'GEOMETRY_MISMATCH',
        message: 'The mask of the previous stage has to lie on the grid of the volumes.',
      });
    }
    if (previous) return previous.segment(volumes, { ...options, probabilities: false });
    throw new SegmentationError({
      code: 'INVALID_ARGUMENT',
      message: `This model refines what "${name}" segments: give that model's folder to loadNnUnet as previousStage, or its mask to segment as previous.`,
    });
  }

  private async predict(
    volumes: readonly Volume[],
    previous: Mask | undefined,
    options: SegmentOptions,
  ): Promise<Mask> {
    const { plans, configuration, networks } = this.parts;
    const { signal, onProgress, probabilities = false, mirror = true, step = 0.5 } = options;
    const memoryLimit = options.memoryLimit ?? 8e9;
    if (!(step > 0 && step <= 1)) {
      throw new SegmentationError({
        code: 'INVALID_ARGUMENT',
        message: `step has to lie in (0, 1], not ${step}.`,
      });
    }
    const grid = networkGrid(volumes, plans, configuration);
    const plan = resamplings(grid, configuration);
    const apart = this.bytesFor(grid, volumes, options, networks.length);
    const shareSum = apart > memoryLimit && networks.length > 1;
    const bytes = shareSum ? this.bytesFor(grid, volumes, options, 1) : apart;
    if (bytes > memoryLimit) {
      throw new SegmentationError({
        code: 'TOO_LARGE',
        message:
          `${grid.shape.join(' x ')} voxels at this model's spacing with ${this.labels.outputs.length} outputs need about ` +
          `${(bytes / 1e9).toFixed(1)} GB, more than the ${(memoryLimit / 1e9).toFixed(1)} GB of memoryLimit: crop the image, ` +
          `${probabilities ? 'ask for no probabilities, ' : ''}use a model of a coarser spacing, or raise the limit.`,
      });
    }
    const { foreground } = this.labels;
    const channels = preprocess(
      volumes,
      grid,
      plans,
      configuration,
      previous && { mask: previous, foreground },
    );
    const [first] = volumes as [Volume];
    const mask = createVolume({ ...first, data: new Uint8Array(first.data.length) });
    const maps = probabilities ? this.backgroundProbabilities(mask.data.length) : [];
    const tile = tileOf(configuration);
    const mirrorAxes = mirror ? this.parts.mirrorAxes : [];
    const resampler = new LogitResampler(
      plan.logits,
      this.labels.outputs.length,
      this.writer(mask.data, maps, grid),
    );
    await slideWindow({
      channels,
      shape: grid.shape,
      tile,
      dimensions: configuration.patch_size.length as 2 | 3,
      classes: this.labels.outputs.length,
      networks: networks.map((network) => tilePredictor(network, tile, mirrorAxes)),
      step,
      shareSum,
      signal,
      onTile: (done, total) => onProgress?.({ stage: String(this.description.configuration), done, total }),
      onPlane: (z, logits) => resampler.push(z, logits),
    });
    if (!probabilities) return mask;
    const named = maps.map((data, output) => ({
      name: this.labels.outputs[output]!,
      volume: createVolume({ ...first, data }),
    }));
    return { ...mask, probabilities: named } as MaskWithProbabilities;
  }

  /** Outside of the box that the network sees, background is certain. */
  private backgroundProbabilities(voxels: number): Float32Array[] {
    const maps = this.labels.outputs.map(() => new Float32Array(voxels));
    if (!this.labels.regionsClassOrder) maps[0]!.fill(1);
    return maps;
  }

  private writer(mask: Uint8Array, maps: readonly Float32Array[], grid: NetworkGrid): VoxelSink {
    const decide = decisionFor(this.labels);
    const [inZ, inY, inX] = grid.strides;
    const start = grid.box.reduce((sum, [low], axis) => sum + low * grid.strides[axis]!, 0);
    return (logits, z, y, x) => {
      const voxel = start + z * inZ + y * inY + x * inX;
      mask[voxel] = decide(logits, maps.length > 0);
      for (let output = 0; output < maps.length; output++) maps[output]![voxel] = logits[output]!;
    };
  }

  private checkVolumes(volumes: readonly Volume[]): void {
    const { channels } = this.labels;
    if (volumes.length !== channels.length) {
      throw new SegmentationError({
        code: 'INVALID_ARGUMENT',
        message: `This model takes ${channels.length} volumes (${channels.join(', ')}), ${volumes.length} were given.`,
      });
    }
    const other = volumes.findIndex((volume) => !sameGrid(volume, volumes[0]!));
    if (other > 0) {
      throw new SegmentationError({
        code: 'GEOMETRY_MISMATCH',
        message: `Volume ${other} (${channels[other]}) lies on another grid than volume 0 (${channels[0]}): resample it first.`,
      });
    }
  }
}

function tileOf({ patch_size: sides }: NnUnetConfiguration): Shape3 {
  return (sides.length === 2 ? [1, ...sides] : sides) as unknown as Shape3;
}
