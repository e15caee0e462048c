export { buildNetwork, weightsUnder } from './build-network.js';
export { type NnUnetDataset, parseDataset } from './dataset-labels.js';
export {
  type CaseFingerprint,
  caseFingerprint,
  type DatasetFingerprint,
  datasetFingerprint,
} from './fingerprint.js';
export type { CodedBottleneck, SegmentationNetwork } from './network.js';
export {
  type NetworkCheckpoint,
  readNetworkCheckpoint,
  writeNetworkCheckpoint,
} from './network-checkpoint.js';
export { type PlanOptions, planExperiment } from './plan-experiment.js';
export { type NnUnetConfiguration, type NnUnetPlans, parsePlans, resolveConfiguration } from './plans.js';
export { type KeepLargest, parsePostprocessing } from './postprocessing.js';
export { SegmentationError, type SegmentationErrorCode } from './segmentation-error.js';
export {
  SegmentationTrainer,
  type SegmentationTrainerOptions,
  type SegmentationTrainerState,
} from './segmentation-trainer.js';
export { Segmenter } from './segmenter.js';
export type {
  BottleneckFeatures,
  BottleneckOptions,
  MaskWithProbabilities,
  SegmentationProgress,
  SegmenterParts,
  SegmentOptions,
} from './segmenter-options.js';
export { prepareTrainingCase, type TrainingCase, type TrainingCases } from './training-case.js';
export { deepSupervisionLoss, deepSupervisionWeights, diceAndCrossEntropy } from './training-losses.js';
export { type TrainingPass, UNet } from './unet.js';
export {
  type Codebook,
  type NetworkConfiguration,
  type NetworkKind,
  readArchitecture,
  type UNetArchitecture,
} from './unet-architecture.js';
export { type Validation, validateNetwork } from './validate-network.js';
export { type CodebookUsage, codebookUsage } from './vector-quantisation.js';
