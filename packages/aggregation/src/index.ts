export type { Aggregation, BagResult, BatchResult, ForwardOptions } from './aggregation.js';
export { AggregationError, type AggregationErrorCode } from './aggregation-error.js';
export { type ContextualAttentionOptions, contextualAttention } from './contextual-attention.js';
export { type AttentionOptions, attention, gatedAttention } from './gated-attention.js';
export { maxPool, meanPool, type PoolOptions } from './mean-max-pool.js';
export type { InitialWeights } from './parameters.js';
export { type TransformerPoolOptions, transformerPool } from './transformer-pool.js';
