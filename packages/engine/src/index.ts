export { AdamW, type AdamWGroup, type AdamWOptions, type AdamWState } from './adamw.js';
export { clipByGlobalNorm } from './clip-gradients.js';
export { type Convolution3dOptions, conv3d } from './convolution-3d.js';
export { EngineError, type EngineErrorCode } from './engine-error.js';
export { ExponentialAverage, type ExponentialAverageState } from './exponential-average.js';
export { affine, normaliseLayer } from './fused-kernels.js';
export { type InstanceNorm3dOptions, instanceNorm3d } from './instance-norm-3d.js';
export { normalDistribution } from './normal-distribution.js';
export { type RandomState, RandomStream } from './random-stream.js';
export { Sgd, type SgdOptions } from './sgd.js';
export { joinChannels, leakySum } from './skip-connections.js';
export {
  type Backend,
  type EngineInfo,
  type EngineOptions,
  startEngine,
  stopEngine,
} from './start-engine.js';
export { conv3dTranspose, type TransposedConvolution3dOptions } from './transposed-convolution-3d.js';
