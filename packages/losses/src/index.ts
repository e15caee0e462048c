export {
  type CachedGradientOptions,
  type ChunkOutputs,
  cachedContrastiveGradients,
  type RestorableStream,
} from './cached-gradients.js';
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  type FocalLossOptions,
  focalLoss,
} from './classification.js';
export { balancedClassWeights, type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { ambiguityWeights, type HardNegativeLossOptions, hardNegativeLoss } from './hard-negative-loss.js';
export type { Labels } from './labels.js';
export { LossError, type LossErrorCode } from './loss-error.js';
export type { EmbeddingMemory, PairOptions } from './pairs.js';
export { type SupConLossOptions, supConLoss } from './sup-con-loss.js';
export { type WeightScheduleOptions, weightSchedule } from './weight-schedule.js';
