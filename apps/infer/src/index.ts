export { type Prediction, type PredictOptions, predict } from './predict.js';
