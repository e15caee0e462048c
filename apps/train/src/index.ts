export { compareRuns } from './compare.js';
export { cacheFolder, ENCODERS, type EncoderName, encoderDirectory, pullEncoder } from './encoder-store.js';
export { type FitOptions, fit } from './fit.js';
export { type LoadedStudy, loadStudy, parseStudy, type Study, studySchema } from './study.js';
export { TrainError, type TrainErrorCode } from './train-error.js';
