export { type BalancedBatchOptions, balancedPatientBatches } from './balanced-batches.js';
export { CohortError, type CohortErrorCode } from './cohort-error.js';
export {
  checkFolds,
  type Fold,
  type FoldPlan,
  type InnerFold,
  sealFolds,
} from './fold-plan.js';
export { type CohortCase, type Manifest, parseManifest, type SplitName } from './parse-manifest.js';
export { type PhantomCase, type PhantomTruth, phantomCase, phantomTruth } from './phantom/phantom-case.js';
export type { PhantomOptions } from './phantom/phantom-options.js';
export { type PlantedSignal, reachableAuc } from './phantom/planted-signal.js';
export { type FoldPlanOptions, planFolds } from './plan-folds.js';
export { type FoldOptions, kFold, type SplitOptions, splitPatients } from './split-patients.js';
export { checkSplits, type Splits, sealSplits, splitNames } from './splits.js';
export {
  type ClinicalRow,
  fitStandardiser,
  readStandardiser,
  type Standardiser,
  type StandardiserParameters,
  standardiserParametersSchema,
} from './standardiser.js';
