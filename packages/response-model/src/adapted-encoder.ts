import { attachLora, type Vit, type VitOptions } from '@onco-response/encoder';
import type * as tf from '@tensorflow/tfjs-core';
import type { Recipe } from './recipe.js';
import { ResponseModelError } from './response-model-error.js';

type EncoderRecipe = Recipe['encoder'];

/**
 * What `loadVit` has to be told for a recipe's model.
 * @example
 * const model = new ResponseModel({ recipe, vit: await loadVit(directory, vitOptions(recipe)), seed: 0 });
 */
export function vitOptions({ encoder: { pooling } }: Pick<Recipe, 'encoder'>): VitOptions {
  return pooling === null ? {} : { pooling };
}

/** Whether anything of the encoder is trained, so that there is an adapter to save. */
export function isAdapted({ adaptedBlocks, trainedBlocks, modules_to_save }: EncoderRecipe): boolean {
  return adaptedBlocks > 0 || trainedBlocks > 0 || modules_to_save.length > 0;
}

/** Blocks whose output never changes while the model trains. */
export function frozenBlocks(
  { config }: Pick<Vit, 'config'>,
  { adaptedBlocks, trainedBlocks }: EncoderRecipe,
): number {
  return config.num_hidden_layers - Math.max(adaptedBlocks, trainedBlocks);
}

/**
 * Puts a recipe's LoRA and fully trained layers into an encoder that has none yet.
 * @throws ResponseModelError INVALID_RECIPE when the recipe does not fit the encoder; EncoderError of `attachLora`
 */
export function adaptEncoder(vit: Vit, recipe: EncoderRecipe, seed: number): void {
  const { pooling, adaptedBlocks, trainedBlocks, modules_to_save, ...lora } = recipe;
  const depth = vit.config.num_hidden_layers;
  for (const [name, blocks] of Object.entries({ adaptedBlocks, trainedBlocks })) {
    if (blocks <= depth) continue;
    throw new ResponseModelError({
      code: 'INVALID_RECIPE',
      message: `encoder.${name} is ${blocks}, but the encoder has ${depth} blocks`,
    });
  }
  if (pooling !== null && pooling !== vit.pooling) {
    throw new ResponseModelError({
      code: 'INVALID_RECIPE',
      message: `encoder.pooling is ${pooling}, but the encoder was loaded with ${vit.pooling}: give vitOptions(recipe) to loadVit`,
    });
  }
  if (vit.loraConfig || !isAdapted(recipe)) return;
  const lastBlocks = (from: number, to: number) =>
    Array.from({ length: Math.max(0, from - to) }, (_, i) => depth - from + i);
  const layers_to_transform = lastBlocks(adaptedBlocks, trainedBlocks);
  const withLora = layers_to_transform.length > 0;
  attachLora(
    vit,
    {
      ...lora,
      target_modules: withLora ? lora.target_modules : [],
      layers_to_transform: withLora ? layers_to_transform : null,
      ...(modules_to_save.length > 0 && { modules_to_save }),
    },
    { seed, ...(trainedBlocks > 0 && { trainBlocks: lastBlocks(trainedBlocks, 0) }) },
  );
}

/** What is trained of the encoder, under names that are the same in every process; a shared A once. */
export function adapterVariables(vit: Vit): Record<string, tf.Variable> {
  const named = new Map<tf.Variable, string>();
  for (const { name, lora } of vit.linears()) {
    if (!lora) continue;
    if (!named.has(lora.a)) named.set(lora.a, `${name}.lora_A`);
    named.set(lora.b, `${name}.lora_B`);
  }
  for (const variable of vit.trainableVariables()) {
    // A second encoder of the process has `#2` at the end of its variables' names.
    if (!named.has(variable)) named.set(variable, variable.name.replace(/#\d+$/, ''));
  }
  return Object.fromEntries([...named].map(([variable, name]) => [name, variable]));
}
