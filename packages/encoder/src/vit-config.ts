import { EncoderError } from './encoder-error.js';

/** The part of a Hugging Face config.json that decides what is computed, under its own field names. */
export interface VitConfig {
  readonly model_type: 'dinov2' | 'vit';
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Width of the MLP; for DINOv2 worked out from `mlp_ratio`. */
  readonly intermediate_size: number;
  readonly layer_norm_eps: number;
  readonly image_size: number;
  readonly patch_size: number;
  readonly num_channels: number;
  readonly qkv_bias: boolean;
}

/** transformers' defaults, which its config.json files may leave out. */
const DEFAULTS = {
  dinov2: { patch_size: 14, layer_norm_eps: 1e-6 },
  vit: { patch_size: 16, layer_norm_eps: 1e-12 },
} as const;

/**
 * Reads a config.json of `model_type` dinov2 or vit, filling in transformers' defaults.
 *
 * @throws EncoderError UNSUPPORTED for another model type, SwiGLU, another activation or non-square images; MALFORMED for
 * a field that is not a positive number.
 */
export function parseVitConfig(json: unknown): VitConfig {
  if (typeof json !== 'object' || json === null) {
    throw new EncoderError({ code: 'MALFORMED', message: 'config.json is not a JSON object.' });
  }
  const fields = json as Record<string, unknown>;
  const { model_type, hidden_act = 'gelu', use_swiglu_ffn = false, qkv_bias = true } = fields;
  if (model_type !== 'dinov2' && model_type !== 'vit') {
    unsupported(`model_type ${JSON.stringify(model_type)}; "dinov2" and "vit" are known`);
  }
  if (hidden_act !== 'gelu')
    unsupported(`hidden_act ${JSON.stringify(hidden_act)}; only the exact "gelu" is`);
  if (use_swiglu_ffn !== false) unsupported('the SwiGLU MLP of DINOv2-giant (use_swiglu_ffn)');
  const number = (name: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw new EncoderError({
      code: 'MALFORMED',
      message: `config.json: ${name} is ${JSON.stringify(value)}.`,
    });
  };
  const whole = (name: string, fallback: number): number => {
    const given = fields[name] ?? fallback;
    const value = number(name, Array.isArray(given) && given[0] === given[1] ? given[0] : given);
    if (Number.isInteger(value)) return value;
    throw new EncoderError({
      code: 'MALFORMED',
      message: `config.json: ${name} is ${value}, not a whole number.`,
    });
  };
  const hidden_size = whole('hidden_size', 768);
  const config: VitConfig = {
    model_type,
    hidden_size,
    num_hidden_layers: whole('num_hidden_layers', 12),
    num_attention_heads: whole('num_attention_heads', 12),
    intermediate_size:
      model_type === 'vit'
        ? whole('intermediate_size', 3072)
        : Math.trunc(hidden_size * number('mlp_ratio', fields.mlp_ratio ?? 4)),
    layer_norm_eps: number('layer_norm_eps', fields.layer_norm_eps ?? DEFAULTS[model_type].layer_norm_eps),
    image_size: whole('image_size', 224),
    patch_size: whole('patch_size', DEFAULTS[model_type].patch_size),
    num_channels: whole('num_channels', 3),
    qkv_bias: qkv_bias === true,
  };
  if (hidden_size % config.num_attention_heads !== 0) {
    const message = `config.json: ${config.num_attention_heads} heads do not divide hidden_size ${hidden_size}.`;
    throw new EncoderError({ code: 'MALFORMED', message });
  }
  return config;
}

function unsupported(what: string): never {
  throw new EncoderError({
    code: 'UNSUPPORTED',
    message: `config.json: this package does not compute ${what}.`,
  });
}
