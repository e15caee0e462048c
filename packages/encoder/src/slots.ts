import type { Part } from './checkpoint-names.js';
import { FAMILIES } from './families.js';
import type { VitConfig } from './vit-config.js';

/** A place for one tensor of the model. */
export interface Slot {
  readonly part: Part;
  /** The block it is in, counted from 0; undefined outside the blocks. */
  readonly block: number | undefined;
  /** 'value' where the part is a tensor itself and no layer. */
  readonly field: 'weight' | 'bias' | 'value';
  readonly shape: readonly number[];
}

/** Every tensor that a model of this configuration has. */
export function slotsOf(config: VitConfig): Slot[] {
  const { hidden_size: width, intermediate_size: hidden, patch_size: patch, mlp_bias } = config;
  const family = FAMILIES[config.model_type];
  const slots: Slot[] = [];
  const value = (part: Part, shape: readonly number[], block?: number) =>
    slots.push({ part, block, field: 'value', shape });
  const layer = (part: Part, weight: readonly number[], bias: boolean, block?: number) => {
    slots.push({ part, block, field: 'weight', shape: weight });
    if (bias) slots.push({ part, block, field: 'bias', shape: [weight[0]!] });
  };

  const tokenShape = config.model_type === 'clip_vision_model' ? [width] : [1, 1, width];
  for (const token of family.placedTokens) value(token, tokenShape);
  if (config.num_register_tokens > 0) value('registers', [1, config.num_register_tokens, width]);
  if (family.positions !== 'rotary') {
    const count = family.placedTokens.length + Math.floor(config.image_size / patch) ** 2;
    const isEmbedding = config.model_type.endsWith('_vision_model'); // an nn.Embedding, not a parameter
    value('positions', isEmbedding ? [count, width] : [1, count, width]);
  }
  layer('patches', [width, config.num_channels, patch, patch], family.patchBias);
  if (family.preNorm) layer('preNorm', [width], true);
  for (let block = 0; block < config.num_hidden_layers; block++) {
    layer('norm1', [width], true, block);
    layer('query', [width, width], config.query_bias, block);
    layer('key', [width, width], config.key_bias, block);
    layer('value', [width, width], config.value_bias, block);
    layer('output', [width, width], config.proj_bias, block);
    if (family.layerScale) value('scale1', [width], block);
    layer('norm2', [width], true, block);
    if (config.gated_mlp) layer('gate', [hidden, width], mlp_bias, block);
    layer('fc1', [hidden, width], mlp_bias, block);
    layer('fc2', [width, hidden], mlp_bias, block);
    if (family.layerScale) value('scale2', [width], block);
  }
  layer('norm', [width], true);
  if (config.pooling_head) {
    value('probe', [1, 1, width]);
    for (const part of ['headQuery', 'headKey', 'headValue', 'headOutput'] as const)
      layer(part, [width, width], true);
    layer('headNorm', [width], true);
    layer('headFc1', [hidden, width], true);
    layer('headFc2', [width, hidden], true);
  }
  return slots;
}
