import { EncoderError } from './encoder-error.js';

/** Field names, meanings and defaults as in peft's `LoraConfig` (peft 0.21 `tuners/lora/config.py`). */
export interface LoraConfig {
  /** Rank. */
  readonly r: number;
  /** The change is scaled by lora_alpha / r. */
  readonly lora_alpha: number;
  /**
   * Names, or ends of names, of the linear layers to adapt: `query`, `attention.output.dense`, `q_proj`, `qkv`, ...; or a
   * regular expression for whole names; or 'all-linear'. The names of the hub, of transformers 5 and of timm are known.
   */
  readonly target_modules: readonly string[] | string;
  /** Names, ends of names or a regular expression, of layers to leave out. */
  readonly exclude_modules: readonly string[] | string | null;
  /** Which blocks, counted from 0; null for all. */
  readonly layers_to_transform: readonly number[] | null;
  /** What the list of blocks is called in the layers' names; null for whatever it is called. */
  readonly layers_pattern: readonly string[] | string | null;
  /** Other ranks for some layers: by name, end of name or regular expression of them; the first that matches counts. */
  readonly rank_pattern: Readonly<Record<string, number>>;
  readonly alpha_pattern: Readonly<Record<string, number>>;
  /** Probability of dropping an input of the low-rank path while training. */
  readonly lora_dropout: number;
  /** Scale by lora_alpha / sqrt(r) instead. */
  readonly use_rslora: boolean;
  /** Which biases are trained besides: none, all of the model's, or those of the adapted layers. */
  readonly bias: 'none' | 'all' | 'lora_only';
  /** Ends of names of layers, or of whole blocks, that are trained in full and saved with the adapter. */
  readonly modules_to_save: readonly string[] | null;
  /** How A starts: uniform in +-1 / sqrt(in), or normal with 1 / r; B is zero unless this is false. */
  readonly init_lora_weights: boolean | 'gaussian';
}

/** What a caller may give: everything has a default, and one block may be given as a number. */
export type LoraOptions = Partial<Omit<LoraConfig, 'layers_to_transform'>> & {
  readonly layers_to_transform?: number | readonly number[] | null;
};

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && name.length > 0);
const isPatterns = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((number) => typeof number === 'number' && number > 0);

/** Fills in the defaults (r 8, alpha 8, no dropout, query and value of all blocks) and checks the ranges. */
export function loraConfigOf(options: LoraOptions): LoraConfig {
  const layers = options.layers_to_transform ?? null;
  const config: LoraConfig = {
    r: options.r ?? 8,
    lora_alpha: options.lora_alpha ?? 8,
    target_modules: options.target_modules ?? ['query', 'value'],
    exclude_modules: options.exclude_modules ?? null,
    layers_to_transform: typeof layers === 'number' ? [layers] : layers,
    layers_pattern: options.layers_pattern ?? null,
    rank_pattern: options.rank_pattern ?? {},
    alpha_pattern: options.alpha_pattern ?? {},
    lora_dropout: options.lora_dropout ?? 0,
    use_rslora: options.use_rslora ?? false,
    bias: options.bias ?? 'none',
    modules_to_save: options.modules_to_save ?? null,
    init_lora_weights: options.init_lora_weights ?? true,
  };
  const check = (field: keyof LoraConfig, holds: boolean, needed: string) => {
    if (holds) return;
    const message = `LoRA: ${field} is ${JSON.stringify(config[field])}; ${needed} is needed.`;
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
  };
  const { r, lora_alpha, target_modules, exclude_modules, layers_to_transform, layers_pattern } = config;
  const isPattern = typeof target_modules === 'string';
  check('r', Number.isInteger(r) && r >= 1, 'a whole number above 0');
  check('lora_alpha', Number.isFinite(lora_alpha) && lora_alpha > 0, 'a number above 0');
  check('target_modules', isPattern || isNames(target_modules), "a list of names, a pattern or 'all-linear'");
  check(
    'exclude_modules',
    exclude_modules === null || typeof exclude_modules === 'string' || isNames(exclude_modules),
    'a list of names, a pattern or null',
  );
  check(
    'layers_to_transform',
    layers_to_transform === null ||
      (Array.isArray(layers_to_transform) && layers_to_transform.every(Number.isInteger)),
    'a block number, a list of them or null',
  );
  check(
    'layers_to_transform',
    layers_to_transform === null || !isPattern || target_modules === 'all-linear',
    'null beside a pattern as target_modules, as in peft,',
  );
  check(
    'layers_pattern',
    layers_pattern === null || typeof layers_pattern === 'string' || isNames(layers_pattern),
    'a name, a list of names or null',
  );
  check('rank_pattern', isPatterns(config.rank_pattern), 'an object of ranks by name');
  check(
    'rank_pattern',
    Object.values(config.rank_pattern).every((rank) => Number.isInteger(rank)),
    'an object of whole numbers by name',
  );
  check('alpha_pattern', isPatterns(config.alpha_pattern), 'an object of numbers by name');
  check('lora_dropout', config.lora_dropout >= 0 && config.lora_dropout < 1, 'a number in [0, 1)');
  check('use_rslora', typeof config.use_rslora === 'boolean', 'true or false');
  check('bias', ['none', 'all', 'lora_only'].includes(config.bias), "'none', 'all' or 'lora_only'");
  check(
    'modules_to_save',
    config.modules_to_save === null || isNames(config.modules_to_save),
    'a list of names or null',
  );
  check(
    'init_lora_weights',
    [true, false, 'gaussian'].includes(config.init_lora_weights),
    "true, false or 'gaussian'",
  );
  return config;
}
