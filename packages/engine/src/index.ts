export { AdamW, type AdamWOptions, type AdamWState } from './adamw.js';
export { clipByGlobalNorm } from './clip-gradients.js';
export { EngineError, type EngineErrorCode } from './engine-error.js';
export { type RandomState, RandomStream } from './random-stream.js';
export {
  type Backend,
  type EngineInfo,
  type EngineOptions,
  startEngine,
  stopEngine,
} from './start-engine.js';
