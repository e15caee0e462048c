export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  type FocalLossOptions,
  focalLoss,
} from './classification.js';
export { ambiguityWeights, type HardNegativeLossOptions, hardNegativeLoss } from './hard-negative-loss.js';
export type { Labels } from './labels.js';
export { LossError, type LossErrorCode } from './loss-error.js';
export type { EmbeddingMemory } from './pairs.js';
export { type SupConLossOptions, supConLoss } from './sup-con-loss.js';
