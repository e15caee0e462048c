import type { Slot } from './slots.js';
import type { VitConfig } from './vit-config.js';

/**
 * Who named the tensors: 'hub', the checkpoints on the Hugging Face hub (and modules in transformers 4); 'transformers5',
 * modules in transformers 5 and the adapters that peft saves there; 'original', the code of DINO, DINOv2 and DeiT and of
 * timm, where query, key and value are one fused layer.
 */
export type Naming = 'hub' | 'transformers5' | 'original';

type InBlock =
  | 'norm1'
  | 'query'
  | 'key'
  | 'value'
  | 'output'
  | 'scale1'
  | 'norm2'
  | 'gate'
  | 'fc1'
  | 'fc2'
  | 'scale2';
type Outside = 'classToken' | 'distillation' | 'registers' | 'positions' | 'patches' | 'preNorm' | 'norm';
type InHead = 'headQuery' | 'headKey' | 'headValue' | 'headOutput' | 'headNorm' | 'headFc1' | 'headFc2';

/** What a model consists of. `gate`, `fc1`, `fc2` of a gated MLP are what transformers calls gate, up, down. */
export type Part = Outside | InBlock | 'probe' | InHead;

/**
 * A name for each part: `#` stands for the block's number, `*` for weight or bias (where there is none it follows after a
 * dot). Parts of the same name are one tensor, cut into equal rows in the order of `slotsOf`.
 */
export type Names = Partial<Record<Part, string>>;

const inBlock = (block: string, names: Names): Names =>
  Object.fromEntries(Object.entries(names).map(([part, name]) => [part, `${block}#.${name}`]));

const attention5: Names = {
  query: 'attention.q_proj',
  key: 'attention.k_proj',
  value: 'attention.v_proj',
  output: 'attention.o_proj',
};
const attention4: Names = {
  query: 'attention.attention.query',
  key: 'attention.attention.key',
  value: 'attention.attention.value',
  output: 'attention.output.dense',
};
const embeddings: Names = {
  classToken: 'embeddings.cls_token',
  distillation: 'embeddings.distillation_token',
  registers: 'embeddings.register_tokens',
  positions: 'embeddings.position_embeddings',
  patches: 'embeddings.patch_embeddings.projection',
};
const scales: Names = { scale1: 'layer_scale1.lambda1', scale2: 'layer_scale2.lambda1' };
const norms: Names = { norm1: 'norm1', norm2: 'norm2' };
const mlp: Names = { fc1: 'mlp.fc1', fc2: 'mlp.fc2' };
const openMlp: Names = { fc1: 'mlp.up_proj', fc2: 'mlp.down_proj' };
const gatedMlp: Names = { gate: 'mlp.gate_proj', ...openMlp };

/** facebookresearch/dinov2 `vision_transformer.py`, timm `vision_transformer.py`. */
function original(gated: boolean): Names {
  return {
    classToken: 'cls_token',
    distillation: 'dist_token',
    registers: 'register_tokens',
    positions: 'pos_embed',
    patches: 'patch_embed.proj',
    norm: 'norm',
    ...inBlock('blocks.', {
      ...norms,
      query: 'attn.qkv',
      key: 'attn.qkv',
      value: 'attn.qkv',
      output: 'attn.proj',
      scale1: 'ls1.gamma',
      scale2: 'ls2.gamma',
      ...(gated ? { gate: 'mlp.w12', fc1: 'mlp.w12', fc2: 'mlp.w3' } : mlp),
    }),
  };
}

const head: Names = {
  probe: 'head.probe',
  headQuery: 'head.attention.in_proj_*',
  headKey: 'head.attention.in_proj_*',
  headValue: 'head.attention.in_proj_*',
  headOutput: 'head.attention.out_proj',
  headNorm: 'head.layernorm',
  headFc1: 'head.mlp.fc1',
  headFc2: 'head.mlp.fc2',
};

/** Each naming's names for a configuration. Source of the differences: transformers 5.23 `conversion_mapping.py`. */
export function namesOf(config: VitConfig): Partial<Record<Naming, Names>> {
  const gated = config.gated_mlp;
  switch (config.model_type) {
    case 'dinov2':
    case 'dinov2_with_registers': {
      const outside = { ...embeddings, norm: 'layernorm' };
      const block = { ...norms, ...scales };
      // The published SwiGLU checkpoints keep gate and up in one tensor.
      const fused: Names = { gate: 'mlp.weights_in', fc1: 'mlp.weights_in', fc2: 'mlp.weights_out' };
      return {
        hub: {
          ...outside,
          ...inBlock('encoder.layer.', { ...block, ...attention4, ...(gated ? fused : mlp) }),
        },
        transformers5: {
          ...outside,
          ...inBlock('encoder.layer.', { ...block, ...attention5, ...(gated ? gatedMlp : mlp) }),
        },
        original: original(gated),
      };
    }
    case 'vit':
    case 'deit': {
      const outside = { ...embeddings, norm: 'layernorm' };
      const block = { norm1: 'layernorm_before', norm2: 'layernorm_after' };
      const mlp4 = { fc1: 'intermediate.dense', fc2: 'output.dense' };
      return {
        hub: { ...outside, ...inBlock('encoder.layer.', { ...block, ...attention4, ...mlp4 }) },
        transformers5: { ...outside, ...inBlock('layers.', { ...block, ...attention5, ...mlp }) },
        original: original(false),
      };
    }
    case 'dinov3_vit': {
      const outside = { ...embeddings, patches: 'embeddings.patch_embeddings', norm: 'norm' };
      const block = { ...norms, ...scales, ...attention5, ...(gated ? gatedMlp : openMlp) };
      return {
        hub: { ...outside, ...inBlock('layer.', block) },
        transformers5: { ...outside, ...inBlock('model.layer.', block) },
      };
    }
    case 'clip_vision_model':
    case 'siglip_vision_model': {
      const names: Names = {
        classToken: 'embeddings.class_embedding',
        positions: 'embeddings.position_embedding.weight',
        patches: 'embeddings.patch_embedding',
        preNorm: 'pre_layrnorm', // the checkpoints' own spelling
        norm: 'post_layernorm',
        ...head,
        ...inBlock('encoder.layers.', {
          norm1: 'layer_norm1',
          norm2: 'layer_norm2',
          query: 'self_attn.q_proj',
          key: 'self_attn.k_proj',
          value: 'self_attn.v_proj',
          output: 'self_attn.out_proj',
          ...mlp,
        }),
      };
      const prefixed = Object.entries(names).map(([part, name]) => [part, `vision_model.${name}`]);
      return { hub: Object.fromEntries(prefixed) as Names, transformers5: names };
    }
  }
}

/** What a layer (or, for a slot's `field`, a tensor) is called; undefined where the naming does not know it. */
export function nameIn(
  names: Names,
  { part, block }: Pick<Slot, 'part' | 'block'>,
  field?: Slot['field'],
): string | undefined {
  const name = names[part]?.replace('#', String(block));
  if (name === undefined || field === 'value') return name;
  if (field === undefined) return name.replace(/\.?[^.]*\*$/, '');
  return name.includes('*') ? name.replace('*', field) : `${name}.${field}`;
}

/** What task models, wrappers and adapters put before an encoder's names. */
const PREFIX =
  /^(base_model\.model|module|backbone|model|vit|deit|dinov2|dinov2_with_registers|dinov3_vit|clip|siglip|vision_model)\./;

/** The name without what is put before it: `vision_model.`, `vit.`, `model.`, ... */
export function bareName(name: string): string {
  let bare = name;
  while (PREFIX.test(bare)) bare = bare.replace(PREFIX, '');
  return bare;
}

/** Parts of published checkpoints and adapters that the class token and the patch tokens do not depend on. */
const UNUSED =
  /^((embeddings\.)?mask_token|embeddings\.position_ids|(pooler\.dense|((cls_|distillation_)?classifier))\..*|head(_dist)?\.(weight|bias)|text_(model|projection)\..*|visual_projection\..*|logit_(scale|bias)|rope_embeddings\..*)$/;

export function isUnused(bareName: string): boolean {
  return UNUSED.test(bareName);
}

/** The name of a layer in this package: the hub's, or, where the hub fuses it with others, one of its own. */
export function layerName(names: Partial<Record<Naming, Names>>, slot: Pick<Slot, 'part' | 'block'>): string {
  const alone = ({ [slot.part]: own, ...others }: Names) => !Object.values(others).includes(own!);
  const naming = [names.hub!, names.transformers5!].find(alone);
  return naming ? nameIn(naming, slot)! : `${nameIn(names.hub!, slot)}.${slot.part}`;
}
