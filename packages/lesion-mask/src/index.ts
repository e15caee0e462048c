export { type Agreement, agreement } from './agreement.js';
export {
  type Augmentation,
  type AugmentCaseOptions,
  type AugmentedCase,
  augmentCase,
  type RandomSource,
} from './augment-case.js';
export { chooseSlices, type SliceChoice } from './choose-slices.js';
export { type CleanedMask, type CleanMaskOptions, cleanMask } from './clean-mask.js';
export {
  DEFAULT_CLEANING,
  type DerivedMask,
  type DeriveMaskOptions,
  deriveMask,
  type MaskCleaning,
  type MaskSegmenter,
} from './derive-mask.js';
export {
  type FunctionalTumourVolume,
  type FunctionalTumourVolumeOptions,
  functionalTumourVolume,
  percentEnhancement,
  signalEnhancementRatio,
} from './functional-tumour-volume.js';
export { type GrowLesionOptions, type GrownLesion, growLesion } from './grow-lesion.js';
export type { ChannelMode, InputMode } from './input-pixels.js';
export { type LesionBag, type LesionBagsOptions, lesionBags } from './lesion-bags.js';
export { type LesionBox, lesionBox } from './lesion-box.js';
export { type LesionContactSheetOptions, lesionContactSheet } from './lesion-contact-sheet.js';
export { type LesionInstance, lesionInstances } from './lesion-instances.js';
export type { ValueLimits } from './lesion-limits.js';
export { LesionMaskError, type LesionMaskErrorCode } from './lesion-mask-error.js';
export type { LesionSeed } from './lesion-seed.js';
export { type LesionSlices, type LesionSlicesOptions, lesionSlices } from './lesion-slices.js';
export {
  type MaskFlag,
  type MaskFlagCode,
  type MaskQuality,
  type MaskQualityOptions,
  maskQuality,
} from './mask-quality.js';
export type { MaskStep } from './mask-step.js';
export { nameMask } from './name-mask.js';
export {
  type PeritumouralRing,
  type PeritumouralRingOptions,
  peritumouralRing,
} from './peritumoural-ring.js';
export type { RgbImage } from './rgb-canvas.js';
export type { SliceAxis } from './slice-axis.js';
