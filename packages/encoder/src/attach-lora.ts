import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { transformers5Name } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import type { Linear } from './linear.js';
import type { Lora } from './lora.js';
import { type LoraConfig, type LoraOptions, loraConfigOf } from './lora-config.js';
import type { Vit } from './vit.js';

/** Values for A [r, in] and B [out, r] of one layer. */
export type LoraValues = (
  layer: Linear,
  inputs: number,
  outputs: number,
) => { a: Float32Array; b: Float32Array };

/**
 * Puts a low-rank change beside chosen linear layers; only its A and B are trained (`vit.trainableVariables()`).
 * As in peft, A starts uniform in +-1 / sqrt(in) and B at zero, so the encoder's output is at first unchanged.
 *
 * @throws EncoderError ADAPTER_ATTACHED where one is there already; INVALID_ARGUMENT where nothing matches
 * @example
 * attachLora(vit, { r: 8, lora_alpha: 16, target_modules: ['query', 'value'], layers_to_transform: [8, 9, 10, 11] }, { seed: 1 });
 */
export function attachLora(vit: Vit, options: LoraOptions = {}, { seed = 0 }: { seed?: number } = {}): void {
  attachValues(vit, loraConfigOf(options), ({ name }, inputs, outputs) => {
    const { r } = loraConfigOf(options);
    const stream = new RandomStream(seed, `lora/${name}`);
    const bound = 1 / Math.sqrt(inputs);
    const a = Float32Array.from({ length: r * inputs }, () => bound * (2 * stream.uniform() - 1));
    return { a, b: new Float32Array(outputs * r) };
  });
}

/** Removes the LoRA of every layer and frees it; what was merged is taken out again. */
export function detachLora(vit: Vit): void {
  unmergeLora(vit);
  for (const layer of vit.linears()) {
    if (layer.lora) tf.dispose([layer.lora.a, layer.lora.b]);
    delete layer.lora;
  }
  delete vit.loraConfig;
}

/** Attaches given A and B, as `attachLora` and the adapter reader do. */
export function attachValues(vit: Vit, config: LoraConfig, values: LoraValues): void {
  if (vit.loraConfig) {
    throw new EncoderError({
      code: 'ADAPTER_ATTACHED',
      message: 'The encoder has a LoRA already: call detachLora first.',
    });
  }
  const layers = targetedLayers(vit, config);
  const { r, lora_alpha, lora_dropout, use_rslora } = config;
  const made = layers.map((layer): Lora => {
    const [outputs, inputs] = layer.weight.shape;
    const { a, b } = values(layer, inputs, outputs);
    return {
      a: variable(`${layer.name}.lora_A.weight`, a, [r, inputs]),
      b: variable(`${layer.name}.lora_B.weight`, b, [outputs, r]),
      scaling: lora_alpha / (use_rslora ? Math.sqrt(r) : r),
      dropout: lora_dropout,
    };
  });
  layers.forEach((layer, index) => {
    layer.lora = made[index]!;
  });
  vit.loraConfig = config;
}

/**
 * Named after its layer, so that an optimiser's saved state fits in another process. tfjs wants names to be unique: a
 * second adapted encoder in the same process gets `#2` at the end of its names.
 */
function variable(name: string, values: Float32Array, shape: [number, number]): tf.Variable<tf.Rank.R2> {
  const taken = tf.engine().registeredVariables;
  let free = name;
  for (let copy = 2; free in taken; copy++) free = `${name}#${copy}`;
  return tf.tidy(() => tf.variable(tf.tensor2d(values, shape), true, free));
}

/** The linear layers that a configuration names, by peft's rule: the whole name, or its end after a dot. */
export function targetedLayers(vit: Vit, { target_modules, layers_to_transform }: LoraConfig): Linear[] {
  const { num_hidden_layers: depth, model_type } = vit.config;
  const beyond = layers_to_transform?.filter((index) => index < 0 || index >= depth) ?? [];
  const matches = (name: string) =>
    target_modules.some((target) => name === target || name.endsWith(`.${target}`));
  const named = vit
    .linears()
    .filter(({ name }) => matches(name) || matches(transformers5Name(model_type, name)));
  const chosen = named.filter(({ name }) => layers_to_transform?.includes(blockIndex(name)) ?? true);
  if (chosen.length > 0 && beyond.length === 0) return chosen;
  const ends = new Set(vit.linears().map(({ name }) => name.replace(/^encoder\.layer\.\d+\./, '')));
  throw new EncoderError({
    code: 'INVALID_ARGUMENT',
    message:
      `LoRA: target_modules [${target_modules.join(', ')}] in the blocks [${layers_to_transform ?? 'all'}] name no layer, ` +
      `or a block beyond the ${depth} there are. Layers of a block: ${[...ends].join(', ')}.`,
  });
}

function blockIndex(name: string): number {
  return Number(/^encoder\.layer\.(\d+)\./.exec(name)?.[1]);
}

/**
 * Adds each B A into its layer's weight, so that inference costs what it costs without LoRA; outputs stay equal to about
 * 1e-6. The weights from before are kept (they are needed back bit for bit) until `unmergeLora`.
 *
 * @throws EncoderError NO_ADAPTER
 */
export function mergeLora(vit: Vit): void {
  if (!vit.loraConfig) {
    throw new EncoderError({
      code: 'NO_ADAPTER',
      message: 'There is no LoRA to merge: call attachLora or loadAdapter first.',
    });
  }
  for (const layer of vit.linears()) {
    const { lora, weight } = layer;
    if (!lora || lora.weightBeforeMerge) continue;
    lora.weightBeforeMerge = weight;
    layer.weight = tf.tidy(() => tf.add(weight, tf.mul(tf.matMul(lora.b, lora.a), lora.scaling))); // [out, in]
  }
}

/** Undoes `mergeLora` exactly; does nothing where nothing is merged. */
export function unmergeLora(vit: Vit): void {
  for (const layer of vit.linears()) {
    const { lora } = layer;
    if (!lora?.weightBeforeMerge) continue;
    tf.dispose(layer.weight);
    layer.weight = lora.weightBeforeMerge;
    delete lora.weightBeforeMerge;
  }
}
