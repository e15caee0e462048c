export { buildNetwork, weightsUnder } from './build-network.js';
export { type NnUnetDataset, parseDataset } from './dataset-labels.js';
export type { SegmentationNetwork } from './network.js';
export { type NnUnetConfiguration, type NnUnetPlans, parsePlans, resolveConfiguration } from './plans.js';
export { type KeepLargest, parsePostprocessing } from './postprocessing.js';
export { SegmentationError, type SegmentationErrorCode } from './segmentation-error.js';
export { Segmenter } from './segmenter.js';
export type {
  MaskWithProbabilities,
  SegmentationProgress,
  SegmenterParts,
  SegmentOptions,
} from './segmenter-options.js';
export { UNet } from './unet.js';
export { type NetworkConfiguration, readArchitecture, type UNetArchitecture } from './unet-architecture.js';
