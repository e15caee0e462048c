export { type AdapterFiles, type AdapterNaming, adapterFromFiles, adapterToFiles } from './adapter-files.js';
export { type AttachOptions, attachLora, detachLora, mergeLora, unmergeLora } from './attach-lora.js';
export { attentionRollout } from './attention-rollout.js';
export type { Naming } from './checkpoint-names.js';
export { EncoderError, type EncoderErrorCode } from './encoder-error.js';
export type { ModelType } from './families.js';
export {
  type IntegratedGradients,
  type IntegratedGradientsOptions,
  integratedGradients,
} from './integrated-gradients.js';
export type { ForwardOptions } from './linear.js';
export { loadVit, type VitFiles, type VitOptions } from './load-vit.js';
export type { LoraConfig, LoraOptions } from './lora-config.js';
export type { Preprocessing } from './preprocessing.js';
export {
  type RandomisedPart,
  type RandomisedStage,
  randomisedBlocks,
  randomisedWeightsCheck,
  randomiseVariables,
} from './randomised-weights.js';
export { loadAdapter, saveAdapter } from './save-adapter.js';
export type { GridOptions, Pooling, TokenOptions, Vit } from './vit.js';
export type { VitConfig } from './vit-config.js';
