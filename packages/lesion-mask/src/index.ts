export {
  type Augmentation,
  type AugmentCaseOptions,
  type AugmentedCase,
  augmentCase,
  type RandomSource,
} from './augment-case.js';
export { chooseSlices, type SliceChoice } from './choose-slices.js';
export { type CleanMaskOptions, cleanMask } from './clean-mask.js';
export type { ChannelMode, InputMode } from './input-pixels.js';
export { type LesionBox, lesionBox } from './lesion-box.js';
export { LesionMaskError, type LesionMaskErrorCode } from './lesion-mask-error.js';
export { type LesionSlices, type LesionSlicesOptions, lesionSlices } from './lesion-slices.js';
export { nameMask } from './name-mask.js';
