/** The vision transformers that this package computes, by transformers' `model_type`. */
export type ModelType =
  | 'dinov2'
  | 'dinov2_with_registers'
  | 'dinov3_vit'
  | 'vit'
  | 'deit'
  | 'clip_vision_model'
  | 'siglip_vision_model';

/** What differs between the families beside sizes. Everything else is the one transformer of `vit.ts` and `block.ts`. */
export interface Family {
  /** Tokens before the patches that have a position of their own: the class token, then DeiT's distillation token. */
  readonly placedTokens: readonly ('classToken' | 'distillation')[];
  /** How the position of each patch is known: a table resized as torch's bicubic `interpolate`, or rotary angles. */
  readonly positions: 'table' | 'antialiased table' | 'rotary';
  /** A learned factor a channel after attention and MLP. */
  readonly layerScale: boolean;
  /** A LayerNorm before the first block (CLIP). */
  readonly preNorm: boolean;
  readonly patchBias: boolean;
  /** CLIP's final LayerNorm is for the class token only: its patches come out as the last block leaves them. */
  readonly normPatches: boolean;
}

const DINOV2: Family = {
  placedTokens: ['classToken'],
  positions: 'table',
  layerScale: true,
  preNorm: false,
  patchBias: true,
  normPatches: true,
};
const VIT: Family = { ...DINOV2, layerScale: false };

/** Read from transformers 5.23, `modeling_*.py` of each. */
export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  dinov2: DINOV2,
  dinov2_with_registers: { ...DINOV2, positions: 'antialiased table' },
  dinov3_vit: { ...DINOV2, positions: 'rotary' },
  vit: VIT,
  deit: { ...VIT, placedTokens: ['classToken', 'distillation'] },
  clip_vision_model: { ...VIT, preNorm: true, patchBias: false, normPatches: false },
  siglip_vision_model: { ...VIT, placedTokens: [] },
};
