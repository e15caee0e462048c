import {
  fromFloat32,
  readSafetensors,
  toFloat32,
  type WeightTensor,
  writeSafetensors,
} from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { trainedParameters } from './adaptation.js';
import { parseAdapterConfig } from './adapter-config.js';
import { configIn } from './adapter-names.js';
import { attachValues, nameOf, sizeOf } from './attach-lora.js';
import { bareName, isUnused, type Naming, nameIn, namesOf } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import { targetedModules } from './lora-targets.js';
import type { Slot } from './slots.js';
import { cutRows, slotsByName } from './state-dict.js';
import type { Vit } from './vit.js';

/** The two files of a peft adapter. */
export interface AdapterFiles {
  /** Parsed adapter_config.json. */
  readonly config: unknown;
  /** Bytes of adapter_model.safetensors. */
  readonly weights: Uint8Array;
}

export interface AdapterNaming {
  /**
   * Whose names the file uses: 'hub', as transformers 4 names the layers (`attention.attention.query`); 'transformers5'
   * (`attention.q_proj`), which `PeftModel.from_pretrained` needs there; 'original', as the code of DINOv2 and timm
   * (`attn.qkv`). By default the first that has all adapted layers, of the checkpoint's own if that is 'original', else
   * 'hub'.
   */
  readonly naming?: Naming;
}

/** peft wraps the model twice before it names its parts. */
const PREFIX = 'base_model.model.';

/** Key, in the safetensors metadata, of the SHA-256 of the weights that the adapter was trained on. */
const BASE = 'base_weights_sha256';

/**
 * The LoRA of an encoder as peft's two files, with the biases and layers that were trained beside it. The same adapter
 * gives the same bytes.
 *
 * @throws EncoderError NO_ADAPTER; INVALID_ARGUMENT where the naming lacks an adapted layer
 */
export function adapterToFiles(
  vit: Vit,
  { naming }: AdapterNaming = {},
): { config: Record<string, unknown>; weights: Uint8Array } {
  const { loraConfig, adaptation } = vit;
  if (!loraConfig || !adaptation) {
    const message = 'There is no LoRA to save: call attachLora or loadAdapter first.';
    throw new EncoderError({ code: 'NO_ADAPTER', message });
  }
  const { modules, trained } = adaptation;
  const first = vit.naming === 'original' ? (['original', 'hub'] as const) : (['hub', 'original'] as const);
  const all = [...first, 'transformers5'] as const;
  const chosen =
    naming ?? all.find((each) => modules.every(({ names }) => names[each] !== undefined)) ?? 'hub';
  const names = namesOf(vit.config)[chosen];
  const lacking = modules.find((module) => module.names[chosen] === undefined);
  if (!names || lacking) {
    const message = `An adapter of ${lacking ? nameOf(lacking) : vit.config.model_type} has no names of the naming ${chosen}.`;
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
  }
  const tensors = new Map<string, WeightTensor>();
  const put = (name: string, values: readonly tf.Tensor[]) => {
    const rows = values.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const parts = values.map((value) => value.dataSync() as Float32Array);
    const data = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    tensors.set(PREFIX + name, fromFloat32(data, [rows, ...values[0]!.shape.slice(1)]));
  };
  for (const { names, places } of modules) {
    const loras = places.map(({ layer }) => layer.lora!);
    put(`${names[chosen]}.lora_A.weight`, [loras[0]!.a]);
    put(
      `${names[chosen]}.lora_B.weight`,
      loras.map(({ b }) => b),
    );
  }
  // peft keeps an adapted layer's own bias one level deeper.
  const adapted = new Set(modules.map((module) => module.names[chosen]!));
  const held = new Map([...trained.keys()].map((parameter) => [parameter.slot, parameter]));
  for (const slots of slotsByName(
    names,
    vit.parameters().map(({ slot }) => slot),
  ).values()) {
    const parameters = slots.flatMap((slot) => held.get(slot) ?? []);
    if (parameters.length === 0) continue;
    const [slot] = slots as [Slot];
    const layer = nameIn(names, slot)!;
    const name = adapted.has(layer) ? `${layer}.base_layer.${slot.field}` : nameIn(names, slot, slot.field)!;
    if (parameters.length < slots.length) {
      const message = `${name} is trained in part only, and has no place of its own in the naming ${chosen}.`;
      throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
    }
    put(
      name,
      parameters.map((parameter) => parameter.get()),
    );
  }
  return {
    config: {
      peft_type: 'LORA',
      task_type: null,
      base_model_name_or_path: null,
      inference_mode: true,
      fan_in_fan_out: false,
      ...loraConfig,
      ...configIn(vit, loraConfig, chosen),
    },
    weights: writeSafetensors(tensors, { format: 'pt', [BASE]: vit.weightsSha256 }),
  };
}

/**
 * Attaches the LoRA of peft's two files, written here or by peft, under any naming, with the biases and layers that were
 * trained beside it. Heads that this package does not compute (classifier, pooler) are passed over.
 *
 * @throws EncoderError ADAPTER_ATTACHED; UNSUPPORTED (DoRA, ...); MISSING_KEYS, UNEXPECTED_KEYS, SHAPE_MISMATCH;
 * WEIGHTS_MISMATCH where the adapter was trained on other weights
 */
export function adapterFromFiles(vit: Vit, files: AdapterFiles): void {
  const config = parseAdapterConfig(files.config);
  const { tensors, metadata } = readSafetensors(files.weights);
  const base = metadata[BASE];
  if (base !== undefined && base !== vit.weightsSha256) {
    const message = `The adapter was trained on the weights ${base}, the encoder's are ${vit.weightsSha256}. Load that encoder.`;
    throw new EncoderError({ code: 'WEIGHTS_MISMATCH', message });
  }
  const modules = targetedModules(vit, config);
  const parameters = trainedParameters(vit, config, modules);
  const slots = parameters.map(({ slot }) => slot);
  const moduleNames = new Map(
    modules.flatMap((module) => Object.values(module.names).map((name) => [bareName(name), module] as const)),
  );
  const slotNames = Object.values(namesOf(vit.config)).map((names) => slotsByName(names, slots));
  const expected = new Map(
    modules.flatMap((module): [string, [number, number]][] => {
      const [outputs, inputs] = sizeOf(module);
      return [
        [`${nameOf(module)}.lora_A.weight`, [module.rank, inputs]],
        [`${nameOf(module)}.lora_B.weight`, [outputs, module.rank]],
      ];
    }),
  );
  const values = new Map<string, Float32Array>();
  const trained = new Map<Slot, WeightTensor>();
  const unexpected: string[] = [];
  for (const [key, tensor] of tensors) {
    const bare = bareName(key).replace('.base_layer.', '.');
    if (isUnused(bare) || WITHOUT_EFFECT.test(bare)) continue;
    const [, layer = '', part] = /^(.*)\.lora_([AB])\.weight$/.exec(bare) ?? [];
    const module = part === undefined ? undefined : moduleNames.get(layer);
    const held = slotNames.find((bySlot) => bySlot.has(bare))?.get(bare);
    if (module) {
      const name = `${nameOf(module)}.lora_${part}.weight`;
      const [found, wanted] = [tensor.shape.join(', '), expected.get(name)!.join(', ')];
      if (found !== wanted) refuse('SHAPE_MISMATCH', `has ${bare} as [${found}], [${wanted}] is needed`);
      values.set(name, toFloat32(tensor).slice()); // tensors may not share memory with the file's bytes
    } else if (held) for (const [slot, rows] of cutRows(bare, tensor, held)) trained.set(slot, rows);
    else unexpected.push(bare);
  }
  const hub = namesOf(vit.config).hub!;
  const missing = [
    ...[...expected.keys()].filter((name) => !values.has(name)),
    ...slots.filter((slot) => !trained.has(slot)).map((slot) => nameIn(hub, slot, slot.field)),
  ];
  if (missing.length > 0) refuse('MISSING_KEYS', `lacks ${missing.join(', ')}`);
  if (unexpected.length > 0)
    refuse('UNEXPECTED_KEYS', `has ${unexpected.join(', ')}, which the configuration does not name`);
  attachValues(vit, config, (module) => ({
    a: values.get(`${nameOf(module)}.lora_A.weight`)!,
    b: values.get(`${nameOf(module)}.lora_B.weight`)!,
  }));
  for (const parameter of parameters) {
    const { slot } = parameter;
    const values = toFloat32(trained.get(slot)!).slice();
    tf.tidy(() => (parameter.get() as tf.Variable).assign(tf.tensor(values, [...slot.shape])));
  }
}

/** torch's own attention reads its weight past any adapter on SigLIP's head: peft saves one that does nothing. */
const WITHOUT_EFFECT = /^head\.attention\.out_proj\.lora_[AB]\.weight$/;

function refuse(code: 'MISSING_KEYS' | 'UNEXPECTED_KEYS' | 'SHAPE_MISMATCH', found: string): never {
  throw new EncoderError({ code, message: `adapter_model.safetensors ${found}.` });
}
