import * as tf from '@tensorflow/tfjs-core';
import { type Attention, attention } from './attention.js';
import { type LayerNorm, layerNorm } from './layer-norm.js';
import type { ForwardOptions } from './linear.js';
import { type Mlp, mlp } from './mlp.js';

/** SigLIP's attention pooling: a learned query, the probe, asks all patches. */
export interface PoolingHead {
  readonly probe: tf.Tensor3D; // [1, 1, E]
  readonly attention: Attention;
  readonly norm: LayerNorm;
  readonly mlp: Mlp;
}

/**
 * pooled = attention(probe, patches); pooled + mlp(norm(pooled)): [B, N, E] -> [B, E]. Source: transformers 5.23
 * `modeling_siglip.py`, SiglipMultiheadAttentionPoolingHead.
 */
export function poolingHead(patches: tf.Tensor3D, head: PoolingHead, options: ForwardOptions): tf.Tensor2D {
  const probes = tf.tile(head.probe, [patches.shape[0], 1, 1]); // [B, 1, E]
  const pooled = attention(patches, probes, head.attention, options); // [B, E]
  return tf.add(pooled, mlp(layerNorm(pooled, head.norm), head.mlp, options));
}
