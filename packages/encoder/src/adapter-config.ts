import { EncoderError } from './encoder-error.js';
import { type LoraConfig, loraConfigOf } from './lora-config.js';

/** Fields of adapter_config.json that change nothing here, whatever they hold. */
const NEUTRAL: ReadonlySet<string> = new Set([
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'eva_config',
  'inference_mode',
  'loftq_config',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'task_type',
]);

/** Ways to begin that leave the base weights as they were. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA change them. */
const BEGINNINGS: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal', null, undefined];

const READ: ReadonlySet<string> = new Set<keyof LoraConfig>([
  'r',
  'lora_alpha',
  'target_modules',
  'exclude_modules',
  'layers_to_transform',
  'layers_pattern',
  'rank_pattern',
  'alpha_pattern',
  'lora_dropout',
  'use_rslora',
  'bias',
  'modules_to_save',
  'init_lora_weights',
]);

/**
 * Reads an adapter_config.json as peft writes it. A field that is not known here and is set to anything (use_dora,
 * fan_in_fan_out, lora_bias, megatron_config, ...) is refused: peft might compute something else by it.
 *
 * @throws EncoderError MALFORMED; UNSUPPORTED, naming the field; INVALID_ARGUMENT for a value out of range
 */
export function parseAdapterConfig(json: unknown): LoraConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new EncoderError({ code: 'MALFORMED', message: 'adapter_config.json is not a JSON object.' });
  }
  const fields = json as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    const accepted =
      name === 'peft_type'
        ? value === 'LORA'
        : name === 'init_lora_weights'
          ? BEGINNINGS.includes(value)
          : READ.has(name) || NEUTRAL.has(name) || isOff(value);
    if (accepted) continue;
    const message = `adapter_config.json: ${name} = ${JSON.stringify(value)} is not computed by this package.`;
    throw new EncoderError({ code: 'UNSUPPORTED', message });
  }
  const { init_lora_weights = true, ...others } = fields;
  const known = typeof init_lora_weights === 'boolean' || init_lora_weights === 'gaussian';
  return loraConfigOf({ ...others, init_lora_weights: known ? init_lora_weights : true });
}

function isOff(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
