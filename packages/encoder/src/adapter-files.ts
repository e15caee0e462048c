import {
  fromFloat32,
  readSafetensors,
  toFloat32,
  type WeightTensor,
  writeSafetensors,
} from '@onco-response/weights';
import { attachValues, targetedLayers } from './attach-lora.js';
import { hubName, transformers5Name } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import { type LoraConfig, parseAdapterConfig } from './lora-config.js';
import type { Vit } from './vit.js';

/** The two files of a peft adapter. */
export interface AdapterFiles {
  /** Parsed adapter_config.json. */
  readonly config: unknown;
  /** Bytes of adapter_model.safetensors. */
  readonly weights: Uint8Array;
}

/** peft wraps the model twice before it names its parts. */
const PREFIX = 'base_model.model.';

/** Key, in the safetensors metadata, of the SHA-256 of the weights that the adapter was trained on. */
const BASE = 'base_weights_sha256';

/**
 * The LoRA of an encoder as peft's two files. The same adapter gives the same bytes.
 *
 * @param options.naming 'hub' writes keys as transformers 4 names the layers (`attention.attention.query`);
 * 'transformers5' as transformers 5 does (`attention.q_proj`), which is what `PeftModel.from_pretrained` needs there.
 * @throws EncoderError NO_ADAPTER
 */
export function adapterToFiles(
  vit: Vit,
  { naming = 'hub' }: { naming?: 'hub' | 'transformers5' } = {},
): { config: Record<string, unknown>; weights: Uint8Array } {
  const { loraConfig } = vit;
  if (!loraConfig) {
    const message = 'There is no LoRA to save: call attachLora or loadAdapter first.';
    throw new EncoderError({ code: 'NO_ADAPTER', message });
  }
  const nameOf = (name: string) => (naming === 'hub' ? name : transformers5Name(vit.config.model_type, name));
  const tensors = new Map<string, WeightTensor>();
  for (const { name, lora } of vit.linears()) {
    if (!lora) continue;
    for (const [part, values] of Object.entries({ A: lora.a, B: lora.b })) {
      const data = values.dataSync() as Float32Array;
      tensors.set(`${PREFIX}${nameOf(name)}.lora_${part}.weight`, fromFloat32(data, values.shape));
    }
  }
  // peft's block patterns do not match transformers 5's `layers.11`: there the adapted layers are listed one by one.
  const targets =
    naming === 'hub'
      ? { target_modules: loraConfig.target_modules, layers_to_transform: loraConfig.layers_to_transform }
      : {
          target_modules: targetedLayers(vit, loraConfig).map(({ name }) => nameOf(name)),
          layers_to_transform: null,
        };
  return {
    config: {
      peft_type: 'LORA',
      task_type: null,
      base_model_name_or_path: null,
      inference_mode: true,
      bias: 'none',
      fan_in_fan_out: false,
      init_lora_weights: true,
      modules_to_save: null,
      ...loraConfig,
      ...targets,
    },
    weights: writeSafetensors(tensors, { format: 'pt', [BASE]: vit.weightsSha256 }),
  };
}

/**
 * Attaches the LoRA of peft's two files, written here or by peft (either naming).
 *
 * @throws EncoderError ADAPTER_ATTACHED; UNSUPPORTED (DoRA, rank patterns, ...); MISSING_KEYS, UNEXPECTED_KEYS,
 * SHAPE_MISMATCH; WEIGHTS_MISMATCH where the adapter was trained on other weights
 */
export function adapterFromFiles(vit: Vit, files: AdapterFiles): void {
  const config = parseAdapterConfig(files.config);
  const { tensors, metadata } = readSafetensors(files.weights);
  const base = metadata[BASE];
  if (base !== undefined && base !== vit.weightsSha256) {
    const message = `The adapter was trained on the weights ${base}, the encoder's are ${vit.weightsSha256}. Load that encoder.`;
    throw new EncoderError({ code: 'WEIGHTS_MISMATCH', message });
  }
  const values = new Map<string, WeightTensor>();
  for (const [name, tensor] of tensors) values.set(layerKey(vit, name), tensor);
  const expected = expectedShapes(vit, config);
  const missing = [...expected.keys()].filter((name) => !values.has(name));
  const unexpected = [...values.keys()].filter((name) => !expected.has(name));
  if (missing.length > 0) refuse('MISSING_KEYS', `lacks ${missing.join(', ')}`);
  if (unexpected.length > 0)
    refuse('UNEXPECTED_KEYS', `has ${unexpected.join(', ')}, which the configuration does not name`);
  for (const [name, shape] of expected) {
    const found = values.get(name)!.shape.join(', ');
    if (found !== shape.join(', '))
      refuse('SHAPE_MISMATCH', `has ${name} as [${found}], [${shape.join(', ')}] is needed`);
  }
  attachValues(vit, config, ({ name }) => ({
    a: toFloat32(values.get(`${name}.lora_A.weight`)!).slice(), // tensors may not share memory with the file's bytes
    b: toFloat32(values.get(`${name}.lora_B.weight`)!).slice(),
  }));
}

/** `base_model.model.encoder.layer.11.attention.q_proj.lora_A.weight` -> `encoder.layer.11...query.lora_A.weight` */
function layerKey(vit: Vit, key: string): string {
  return hubName(vit.config.model_type, key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key);
}

function expectedShapes(vit: Vit, config: LoraConfig): Map<string, [number, number]> {
  return new Map(
    targetedLayers(vit, config).flatMap(({ name, weight: { shape } }): [string, [number, number]][] => [
      [`${name}.lora_A.weight`, [config.r, shape[1]]],
      [`${name}.lora_B.weight`, [shape[0], config.r]],
    ]),
  );
}

function refuse(code: 'MISSING_KEYS' | 'UNEXPECTED_KEYS' | 'SHAPE_MISMATCH', found: string): never {
  throw new EncoderError({ code, message: `adapter_model.safetensors ${found}.` });
}
