export { AdamW, type AdamWGroup, type AdamWOptions, type AdamWState } from './adamw.js';
export { clipByGlobalNorm } from './clip-gradients.js';
export { EngineError, type EngineErrorCode } from './engine-error.js';
export { ExponentialAverage, type ExponentialAverageState } from './exponential-average.js';
export { affine, normaliseLayer } from './fused-kernels.js';
export { normalDistribution } from './normal-distribution.js';
export { type RandomState, RandomStream } from './random-stream.js';
export {
  type Backend,
  type EngineInfo,
  type EngineOptions,
  startEngine,
  stopEngine,
} from './start-engine.js';
