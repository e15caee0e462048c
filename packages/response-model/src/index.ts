export { vitOptions } from './adapted-encoder.js';
export {
  BUNDLE_FORMAT,
  type BundleDescription,
  type BundleFiles,
  type BundleMetadata,
  type BundleReference,
  bundleFromFiles,
  bundleMetadataSchema,
  bundleToFiles,
  type LoadedBundle,
  type ReferenceEmbeddings,
} from './bundle.js';
export { type ClinicalValues, clinicalInOrder } from './clinical-features.js';
export {
  aggregationRecipeSchema,
  encoderRecipeSchema,
  headRecipeSchema,
  type InputRecipe,
  inputRecipeSchema,
  type Recipe,
  recipeSchema,
} from './recipe.js';
export {
  type CasePrediction,
  type ForwardResult,
  inputSlices,
  type PrefixTokens,
  ResponseModel,
} from './response-model.js';
export { ResponseModelError, type ResponseModelErrorCode } from './response-model-error.js';
