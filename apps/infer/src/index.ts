export type { MaskOrigin } from './derived-mask.js';
export { InferError, type InferErrorCode } from './infer-error.js';
export { type NoLesion, type Prediction, type PredictOptions, predict } from './predict.js';
