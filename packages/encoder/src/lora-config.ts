import { EncoderError } from './encoder-error.js';

/** Field names, meanings and defaults as in peft's `LoraConfig` (peft 0.21 `tuners/lora/config.py`). */
export interface LoraConfig {
  /** Rank. */
  readonly r: number;
  /** The change is scaled by lora_alpha / r. */
  readonly lora_alpha: number;
  /**
   * Names, or ends of names, of the linear layers to adapt: `query`, `attention.output.dense`, `q_proj`, ...
   * Both the hub's names and those of transformers 5 are known.
   */
  readonly target_modules: readonly string[];
  /** Which blocks, counted from 0; null for all. */
  readonly layers_to_transform: readonly number[] | null;
  /** Probability of dropping an input of the low-rank path while training. */
  readonly lora_dropout: number;
  /** Scale by lora_alpha / sqrt(r) instead. */
  readonly use_rslora: boolean;
}

/** What a caller may give: everything has a default, and one block may be given as a number. */
export type LoraOptions = Partial<Omit<LoraConfig, 'layers_to_transform'>> & {
  readonly layers_to_transform?: number | readonly number[] | null;
};

/** Fills in the defaults (r 8, alpha 8, no dropout, query and value of all blocks) and checks the ranges. */
export function loraConfigOf(options: LoraOptions): LoraConfig {
  const { r = 8, lora_alpha = 8, lora_dropout = 0, use_rslora = false, layers_to_transform = null } = options;
  const target_modules = options.target_modules ?? ['query', 'value'];
  const invalid = (field: string, value: unknown, needed: string): never => {
    const message = `LoRA: ${field} is ${JSON.stringify(value)}; ${needed} is needed.`;
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
  };
  if (!Number.isInteger(r) || r < 1) invalid('r', r, 'a whole number above 0');
  if (!Number.isFinite(lora_alpha) || lora_alpha <= 0) invalid('lora_alpha', lora_alpha, 'a number above 0');
  if (!(lora_dropout >= 0 && lora_dropout < 1)) invalid('lora_dropout', lora_dropout, 'a number in [0, 1)');
  if (!Array.isArray(target_modules) || target_modules.some((name) => typeof name !== 'string')) {
    invalid('target_modules', target_modules, 'a list of names (not a pattern)');
  }
  const layers = typeof layers_to_transform === 'number' ? [layers_to_transform] : layers_to_transform;
  if (layers !== null && !(Array.isArray(layers) && layers.every(Number.isInteger))) {
    invalid('layers_to_transform', layers, 'a block number, a list of them or null');
  }
  return { r, lora_alpha, target_modules, layers_to_transform: layers, lora_dropout, use_rslora };
}

/** Fields of peft whose other values change the arithmetic, with the only value computed here. */
const ONLY: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ['LORA'],
  bias: ['none'],
  fan_in_fan_out: [false],
  use_dora: [false],
  lora_bias: [false],
  use_qalora: [false],
  init_lora_weights: [true, false, 'gaussian'],
  layer_replication: [null],
  modules_to_save: [null],
  target_parameters: [null],
  trainable_token_indices: [null],
  exclude_modules: [null],
};

/** Reads an adapter_config.json as peft writes it, and refuses what would be computed differently there. */
export function parseAdapterConfig(json: unknown): LoraConfig {
  if (typeof json !== 'object' || json === null) {
    throw new EncoderError({ code: 'MALFORMED', message: 'adapter_config.json is not a JSON object.' });
  }
  const fields = json as Record<string, unknown>;
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || Object.keys(value).length === 0;
  const refused = [
    ...Object.entries(ONLY).filter(([name, values]) => name in fields && !values.includes(fields[name])),
    ...['rank_pattern', 'alpha_pattern']
      .filter((name) => !isEmpty(fields[name]))
      .map((name) => [name] as const),
  ];
  for (const [name] of refused) {
    const message = `adapter_config.json: ${name} = ${JSON.stringify(fields[name])} is not computed by this package.`;
    throw new EncoderError({ code: 'UNSUPPORTED', message });
  }
  return loraConfigOf(fields as LoraOptions);
}
