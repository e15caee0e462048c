import type { Mask, Volume } from '@onco-response/volume';
import type { NnUnetDataset } from './dataset-labels.js';
import type { SegmentationNetwork } from './network.js';
import type { NnUnetConfiguration, NnUnetPlans } from './plans.js';
import type { PooledBottleneck } from './pool-bottleneck.js';
import type { KeepLargest } from './postprocessing.js';
import type { Segmenter } from './segmenter.js';

/** How far a segmentation has come. */
export interface SegmentationProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

export interface SegmentOptions {
  signal?: AbortSignal;
  onProgress?: (progress: SegmentationProgress) => void;
  /** Also give the probability of every label (softmax) or region (sigmoid). Default false. */
  probabilities?: boolean;
  /** For a cascade: the previous stage's labels on the volumes' grid, in place of running it. */
  previous?: Mask;
  /** Average over mirrored tiles along the axes that the model allows. Default true; false is up to 8 times as fast. */
  mirror?: boolean;
  /** Tiles are at most this part of a tile apart. Default 0.5, as nnU-Net's. */
  step?: number;
  /** Bytes that may be used besides the given volumes and the network's weights. Default 8e9. */
  memoryLimit?: number;
}

export interface BottleneckOptions extends Omit<SegmentOptions, 'probabilities'> {
  /**
   * Over all voxels of the image, or over those of a mask. Default 'mean', the global average: which of them Janse et al.
   * 2025 used is not known.
   */
  pooling?: 'mean' | 'maskedMean';
  /**
   * Of a vector-quantised network: the codebook's vectors, or the features of the encoder's last stage, which every other
   * network gives. Default 'quantised'; which of them Janse et al. 2025 used is not known either.
   */
  features?: 'quantised' | 'encoded';
  /** For 'maskedMean': what is not 0, on the volumes' grid. Default what this model segments. */
  mask?: Mask;
}

/** Bottleneck features of a case. */
export interface BottleneckFeatures extends PooledBottleneck {
  /** What was done: 'mean' for an empty mask, also where 'maskedMean' was asked for. */
  readonly pooling: 'mean' | 'maskedMean';
}

/** A mask with the probability of each output, on the same grid. */
export interface MaskWithProbabilities extends Mask {
  /** Names as in dataset.json: every label from background on, or every region. */
  readonly probabilities: readonly { readonly name: string; readonly volume: Volume<Float32Array> }[];
}

export interface SegmenterParts {
  readonly plans: NnUnetPlans;
  readonly configuration: NnUnetConfiguration;
  readonly dataset: NnUnetDataset;
  /** One a fold. */
  readonly networks: readonly SegmentationNetwork[];
  /** Axes of the network's tiles, in the model's order, along which it may be mirrored. */
  readonly mirrorAxes: readonly number[];
  /** The stage before this one of a cascade. */
  readonly previous?: Segmenter | undefined;
  readonly postprocessing?: readonly KeepLargest[];
  /** What the model is: kept with every result by who asks for it. */
  readonly description: Readonly<Record<string, unknown>>;
}
