import { type Activation, isActivation } from './activation.js';
import { EncoderError } from './encoder-error.js';
import { FAMILIES, type ModelType } from './families.js';

/** The part of a Hugging Face config.json that decides what is computed; for CLIP and SigLIP that of their vision tower. */
export interface VitConfig {
  readonly model_type: ModelType;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Width of the MLP; for DINOv2 worked out from `mlp_ratio`. */
  readonly intermediate_size: number;
  readonly hidden_act: Activation;
  /** fc2(act(gate x) * fc1 x): `use_swiglu_ffn` of DINOv2, `use_gated_mlp` of DINOv3. */
  readonly gated_mlp: boolean;
  readonly layer_norm_eps: number;
  readonly image_size: number;
  readonly patch_size: number;
  readonly num_channels: number;
  readonly num_register_tokens: number;
  readonly query_bias: boolean;
  readonly key_bias: boolean;
  readonly value_bias: boolean;
  readonly proj_bias: boolean;
  readonly mlp_bias: boolean;
  /** DINOv3's base period of the rotary angles. */
  readonly rope_theta: number;
  /** SigLIP's attention pooling, which stands in for a class token (`vision_use_head`). */
  readonly pooling_head: boolean;
  /**
   * 0.1 to resize DINOv2's positions as its original code does, which scales by (rows + 0.1) / side; 0, the default, as
   * transformers 5 does. A field of facebookresearch/dinov2, not of Hugging Face's config.json.
   */
  readonly interpolate_offset: number;
}

/** transformers' defaults, which its config.json files may leave out. */
const COMMON = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-6,
  image_size: 224,
  patch_size: 16,
  num_channels: 3,
  num_register_tokens: 0,
};
const DEFAULTS: Readonly<Record<ModelType, typeof COMMON>> = {
  dinov2: { ...COMMON, patch_size: 14 },
  dinov2_with_registers: { ...COMMON, num_register_tokens: 4 },
  dinov3_vit: {
    ...COMMON,
    hidden_size: 384,
    intermediate_size: 1536,
    num_attention_heads: 6,
    layer_norm_eps: 1e-5,
  },
  vit: { ...COMMON, layer_norm_eps: 1e-12 },
  deit: { ...COMMON, layer_norm_eps: 1e-12 },
  clip_vision_model: { ...COMMON, patch_size: 32, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 },
  siglip_vision_model: { ...COMMON, hidden_act: 'gelu_pytorch_tanh' },
};

/** A model of image and text holds its vision tower's configuration in `vision_config`. */
const TOWERS: Readonly<Record<string, ModelType>> = {
  clip: 'clip_vision_model',
  siglip: 'siglip_vision_model',
};

/**
 * Reads a config.json of the families in `FAMILIES`, filling in transformers' defaults.
 *
 * @throws EncoderError UNSUPPORTED for another model type or activation; MALFORMED for a field that is not what it should
 * be, and for non-square images.
 */
export function parseVitConfig(json: unknown): VitConfig {
  const whole_file = objectOf(json, 'config.json');
  const tower = TOWERS[String(whole_file.model_type)];
  const fields = tower ? objectOf(whole_file.vision_config ?? {}, 'vision_config') : whole_file;
  const type = tower ?? whole_file.model_type;
  if (typeof type !== 'string' || !Object.hasOwn(FAMILIES, type)) {
    const known = [...Object.keys(FAMILIES), ...Object.keys(TOWERS)].join(', ');
    unsupported(`model_type ${JSON.stringify(type)}; known are ${known}`);
  }
  const model_type = type as ModelType;
  const defaults = DEFAULTS[model_type];
  const number = (name: string, fallback: number, least = Number.MIN_VALUE): number => {
    const value = fields[name] ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
    return malformed(`${name} is ${JSON.stringify(value)}`);
  };
  const whole = (name: keyof typeof COMMON, least = 1): number => {
    const given = fields[name] ?? defaults[name];
    const value = Array.isArray(given) && given.length === 2 && given[0] === given[1] ? given[0] : given;
    if (Number.isInteger(value) && value >= least) return value;
    return malformed(`${name} is ${JSON.stringify(given)}, not a whole number`);
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = fields[name] ?? fallback;
    return typeof value === 'boolean' ? value : malformed(`${name} is ${JSON.stringify(value)}`);
  };
  const isDinov2 = model_type === 'dinov2' || model_type === 'dinov2_with_registers';
  const hidden_act = fields.hidden_act ?? defaults.hidden_act;
  if (!isActivation(hidden_act)) unsupported(`hidden_act ${JSON.stringify(hidden_act)}`);
  const hidden_size = whole('hidden_size');
  const gated_mlp = isDinov2
    ? flag('use_swiglu_ffn', false)
    : model_type === 'dinov3_vit' && flag('use_gated_mlp', false);
  const dinov2Hidden = Math.trunc(hidden_size * number('mlp_ratio', 4));
  const qkv_bias = flag('qkv_bias', true);
  const config: VitConfig = {
    model_type,
    hidden_size,
    num_hidden_layers: whole('num_hidden_layers'),
    num_attention_heads: whole('num_attention_heads'),
    intermediate_size: !isDinov2
      ? whole('intermediate_size')
      : gated_mlp
        ? Math.floor((Math.trunc((dinov2Hidden * 2) / 3) + 7) / 8) * 8
        : dinov2Hidden,
    hidden_act: isDinov2 && gated_mlp ? 'silu' : hidden_act,
    gated_mlp,
    layer_norm_eps: number('layer_norm_eps', defaults.layer_norm_eps),
    image_size: whole('image_size'),
    patch_size: whole('patch_size'),
    num_channels: whole('num_channels'),
    num_register_tokens:
      model_type === 'dinov2_with_registers' || model_type === 'dinov3_vit'
        ? whole('num_register_tokens', 0)
        : 0,
    query_bias: model_type === 'dinov3_vit' ? flag('query_bias', true) : qkv_bias,
    key_bias: model_type === 'dinov3_vit' ? flag('key_bias', false) : qkv_bias,
    value_bias: model_type === 'dinov3_vit' ? flag('value_bias', true) : qkv_bias,
    proj_bias: model_type === 'dinov3_vit' ? flag('proj_bias', true) : true,
    mlp_bias: model_type === 'dinov3_vit' ? flag('mlp_bias', true) : true,
    rope_theta: number('rope_theta', 100),
    pooling_head: model_type === 'siglip_vision_model' && flag('vision_use_head', true),
    interpolate_offset: isDinov2 ? number('interpolate_offset', 0, 0) : 0,
  };
  if (hidden_size % config.num_attention_heads !== 0)
    malformed(`${config.num_attention_heads} heads do not divide hidden_size ${hidden_size}`);
  if (model_type === 'dinov3_vit' && (hidden_size / config.num_attention_heads) % 4 !== 0)
    malformed(
      `a head is ${hidden_size / config.num_attention_heads} wide; rotary positions need a multiple of 4`,
    );
  return config;
}

function objectOf(json: unknown, name: string): Record<string, unknown> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  throw new EncoderError({ code: 'MALFORMED', message: `${name} is not a JSON object.` });
}

function malformed(what: string): never {
  throw new EncoderError({ code: 'MALFORMED', message: `config.json: ${what}.` });
}

function unsupported(what: string): never {
  throw new EncoderError({
    code: 'UNSUPPORTED',
    message: `config.json: this package does not compute ${what}.`,
  });
}
