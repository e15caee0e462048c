import * as tf from '@tensorflow/tfjs-core';
import { layerName, type Names, nameIn, namesOf, type Part } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import type { LoraConfig } from './lora-config.js';
import type { TargetedModule } from './lora-targets.js';
import type { Parameter } from './parameter.js';
import type { Slot } from './slots.js';
import type { Vit } from './vit.js';

/** What `attachLora` put into an encoder beside its LoRA. */
export interface Adaptation {
  readonly modules: readonly TargetedModule[];
  /** The parameters that are trained in full, with the tensors from before. */
  readonly trained: ReadonlyMap<Parameter, tf.Tensor>;
}

/** `in_proj_bias` does not end with `.bias`, which is what peft goes by. */
const IN_PROJECTIONS: readonly Part[] = ['headQuery', 'headKey', 'headValue'];

/** The layer whose tensor a slot is: `encoder.layer.1.layer_scale1` for its `lambda1`. */
export function moduleOf(names: Names, slot: Slot): string {
  const name = nameIn(names, slot) ?? '';
  return slot.field === 'value' ? name.replace(/\.?[^.]*$/, '') : name;
}

/** That layer and the modules around it, from the outermost inwards. */
function ancestorsOf(names: Names, slot: Slot): string[] {
  const path = moduleOf(names, slot).split('.');
  return path.map((_, index) => path.slice(0, index + 1).join('.'));
}

/** Whether `modules_to_save` takes this tensor: it ends a module's name, here or around it. `_set_trainable` in peft. */
export function isSavedIn(names: Names, slot: Slot, saved: readonly string[]): boolean {
  return ancestorsOf(names, slot).some((module) => saved.some((end) => module.endsWith(end)));
}

/**
 * The parameters that `bias` and `modules_to_save` train, in the order of the blocks. Names of modules that an encoder
 * does not have (a classifier, a pooler) are passed over: their training changes nothing here.
 *
 * @throws EncoderError UNSUPPORTED where the embedding is named
 */
export function trainedParameters(
  vit: Vit,
  { bias, modules_to_save }: LoraConfig,
  modules: readonly TargetedModule[],
): Parameter[] {
  const saved = modules_to_save ?? [];
  const namings = Object.values(namesOf(vit.config));
  const adapted = new Set(
    modules.flatMap(({ places }) => places.map(({ part, block }) => `${part} ${block}`)),
  );
  if (saved.some((end) => 'embeddings'.endsWith(end) || /(^|\.)(embeddings|patch_embed)(\.|$)/.test(end))) {
    const message = `LoRA: modules_to_save [${saved.join(', ')}] names the embedding, which is not trained here.`;
    throw new EncoderError({ code: 'UNSUPPORTED', message });
  }
  return vit.parameters().filter(({ slot }) => {
    if (slot.field === 'bias' && bias === 'all' && !IN_PROJECTIONS.includes(slot.part)) return true;
    if (slot.field === 'bias' && bias === 'lora_only' && adapted.has(`${slot.part} ${slot.block}`))
      return true;
    return saved.length > 0 && namings.some((names) => isSavedIn(names, slot, saved));
  });
}

/** Puts variables in the parameters' places, holding what they hold; gives back the tensors from before. */
export function startTraining(vit: Vit, parameters: readonly Parameter[]): Map<Parameter, tf.Tensor> {
  const before = new Map<Parameter, tf.Tensor>();
  const names = namesOf(vit.config);
  for (const parameter of parameters) {
    const tensor = parameter.get();
    const { slot } = parameter;
    const name = slot.field === 'value' ? nameIn(names.hub!, slot) : layerName(names, slot);
    before.set(parameter, tensor);
    parameter.set(variable(slot.field === 'value' ? name! : `${name}.${slot.field}`, tensor));
  }
  return before;
}

/** Puts the tensors from before in their places again, and frees the variables. */
export function endTraining(trained: ReadonlyMap<Parameter, tf.Tensor>): void {
  for (const [parameter, tensor] of trained) {
    parameter.get().dispose();
    parameter.set(tensor);
  }
}

/**
 * A variable named after its layer, so that an optimiser's saved state fits in another process. tfjs wants names to be
 * unique: a second adapted encoder in the same process gets `#2` at the end of its names.
 */
export function variable<R extends tf.Rank>(name: string, value: tf.Tensor<R>): tf.Variable<R> {
  const taken = tf.engine().registeredVariables;
  let free = name;
  for (let copy = 2; free in taken; copy++) free = `${name}#${copy}`;
  return tf.variable(value, true, free);
}
