import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { endTraining, startTraining, trainedParameters, variable } from './adaptation.js';
import { namesOf } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import type { Lora } from './lora.js';
import { type LoraConfig, type LoraOptions, loraConfigOf } from './lora-config.js';
import { type TargetedModule, targetedModules } from './lora-targets.js';
import type { Vit } from './vit.js';

/** What peft has no field for. */
export interface AttachOptions {
  /** Of the random start of A. */
  readonly seed?: number;
  /** LoRA in the last so many blocks only: a short `layers_to_transform`. */
  readonly lastBlocks?: number;
  /**
   * Blocks that are trained in full, counted from 0, in place of a LoRA in them: a short `modules_to_save`. With
   * `target_modules: []` there is no LoRA at all.
   */
  readonly trainBlocks?: readonly number[];
}

/** Values for A [r, in] and B [out, r] of one layer. */
export type LoraValues = (module: TargetedModule) => { a: Float32Array; b: Float32Array };

/**
 * Puts a low-rank change beside chosen linear layers; only its A and B are trained (`vit.trainableVariables()`), and what
 * `bias`, `modules_to_save` and `trainBlocks` name. As in peft, A starts uniform in +-1 / sqrt(in) and B at zero, so the
 * encoder's output is at first unchanged.
 *
 * @throws EncoderError ADAPTER_ATTACHED where one is there already; INVALID_ARGUMENT where nothing matches; UNSUPPORTED
 * @example
 * attachLora(vit, { r: 8, lora_alpha: 16, target_modules: ['query', 'value'] }, { lastBlocks: 4, seed: 1 });
 */
export function attachLora(
  vit: Vit,
  options: LoraOptions = {},
  { seed = 0, ...blocks }: AttachOptions = {},
): void {
  const config = withBlocks(vit, loraConfigOf(options), blocks);
  attachValues(vit, config, (module) => {
    const [outputs, inputs] = sizeOf(module);
    const stream = new RandomStream(seed, `lora/${nameOf(module)}`);
    const uniform = (bound: number) => () => bound * (2 * stream.uniform() - 1);
    const values = (count: number, draw: () => number) => Float32Array.from({ length: count }, draw);
    const { rank } = module;
    const drawA =
      config.init_lora_weights === 'gaussian' ? () => stream.normal() / rank : uniform(inputs ** -0.5);
    return {
      a: values(rank * inputs, drawA),
      b: values(outputs * rank, config.init_lora_weights === false ? uniform(rank ** -0.5) : () => 0),
    };
  });
}

function withBlocks(
  vit: Vit,
  config: LoraConfig,
  { lastBlocks, trainBlocks }: Omit<AttachOptions, 'seed'>,
): LoraConfig {
  const { num_hidden_layers: depth } = vit.config;
  const invalid = (message: string): never => {
    throw new EncoderError({ code: 'INVALID_ARGUMENT', message: `LoRA: ${message}.` });
  };
  let { layers_to_transform, modules_to_save } = config;
  if (lastBlocks !== undefined) {
    if (layers_to_transform)
      invalid('lastBlocks and layers_to_transform say the same thing: give one of them');
    if (!Number.isInteger(lastBlocks) || lastBlocks < 1 || lastBlocks > depth)
      invalid(`lastBlocks is ${lastBlocks}; 1 to ${depth} is needed`);
    layers_to_transform = Array.from({ length: lastBlocks }, (_, index) => depth - lastBlocks + index);
  }
  if (trainBlocks !== undefined) {
    const beyond = trainBlocks.find((index) => !Number.isInteger(index) || index < 0 || index >= depth);
    if (beyond !== undefined) invalid(`trainBlocks has the block ${beyond}; there are ${depth}`);
    const pattern = namesOf(vit.config)[vit.naming]!.norm1!.replace(/\.[^.]*$/, ''); // encoder.layer.#
    const names = trainBlocks.map((index) => pattern.replace('#', String(index)));
    modules_to_save = [...(modules_to_save ?? []), ...names];
  }
  return { ...config, layers_to_transform, modules_to_save };
}

/** Removes the LoRA of every layer and frees it; what was merged or trained is taken out again. */
export function detachLora(vit: Vit): void {
  unmergeLora(vit);
  for (const layer of vit.linears()) {
    if (layer.lora) tf.dispose([layer.lora.a, layer.lora.b]);
    delete layer.lora;
  }
  if (vit.adaptation) endTraining(vit.adaptation.trained);
  delete vit.adaptation;
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
  const modules = targetedModules(vit, config);
  const parameters = trainedParameters(vit, config, modules);
  for (const module of modules) {
    const [outputs, inputs] = sizeOf(module);
    const { rank, alpha, places } = module;
    const { a, b } = values(module);
    const shared = make(`${nameOf(module)}.lora_A.weight`, a, [rank, inputs]);
    let row = 0;
    // The layers that a fused one stands for share its A; each has its own rows of B.
    for (const { layer } of places) {
      const rows = layer.weight.shape[0];
      const lora: Lora = {
        a: shared,
        b: make(`${layer.name}.lora_B.weight`, b.slice(row * rank, (row + rows) * rank), [rows, rank]),
        scaling: alpha / (config.use_rslora ? Math.sqrt(rank) : rank),
        dropout: config.lora_dropout,
      };
      layer.lora = lora;
      row += rows;
    }
    if (row !== outputs) throw new Error('unreachable');
  }
  vit.adaptation = { modules, trained: startTraining(vit, parameters) };
  vit.loraConfig = config;
}

/** [out, in] of a layer, fused or not. */
export function sizeOf({ places }: TargetedModule): [number, number] {
  const outputs = places.reduce((rows, { layer }) => rows + layer.weight.shape[0], 0);
  return [outputs, places[0]!.layer.weight.shape[1]];
}

/** A layer's name here: the hub's where it has one. */
export function nameOf({ names, places }: TargetedModule): string {
  return places.length === 1 ? places[0]!.layer.name : Object.values(names)[0]!;
}

function make(name: string, values: Float32Array, shape: [number, number]): tf.Variable<tf.Rank.R2> {
  return tf.tidy(() => variable(name, tf.tensor2d(values, shape)));
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
