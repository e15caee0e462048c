import { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { EncoderError } from './encoder-error.js';
import type { Vit } from './vit.js';

/** A part of a model that can be made random, and put back by the function that `randomise` returns. */
export interface RandomisedPart {
  readonly name: string;
  readonly randomise: () => () => void;
}

/** How similar a map is to the trained model's, once this part and all before it are random. */
export interface RandomisedStage {
  readonly name: string;
  readonly similarity: number;
}

/**
 * The sanity check of saliency maps by cascading randomisation: a map that explains the model has to change when the model's
 * weights are made random, from the output towards the input. One that stays (a similarity near 1) shows the image's edges,
 * whatever the model learned. Everything is put back, also after an error.
 *
 * @param map the explanation by the model as it is, one number a pixel or patch; absolute values where signs are of no interest
 * @param parts made random one after the other, none put back before the end: the head first, then `randomisedBlocks`
 * @param similarity of two maps: rank correlation, as in the paper, by `spearman` of `@onco-response/metrics`
 * @see Adebayo et al. 2018, https://arxiv.org/abs/1810.03292
 * @example
 * await randomisedWeightsCheck(map, randomisedBlocks(vit, { seed: 1 }), (a, b) => spearman(a, b).rho);
 */
export async function randomisedWeightsCheck(
  map: () => ArrayLike<number> | Promise<ArrayLike<number>>,
  parts: readonly RandomisedPart[],
  similarity: (trained: ArrayLike<number>, randomised: ArrayLike<number>) => number,
): Promise<RandomisedStage[]> {
  const trained = Float64Array.from(await map());
  const restore: (() => void)[] = [];
  const stages: RandomisedStage[] = [];
  try {
    for (const { name, randomise } of parts) {
      restore.push(randomise());
      stages.push({ name, similarity: similarity(trained, await map()) });
    }
  } finally {
    for (const putBack of restore.reverse()) putBack();
  }
  return stages;
}

/**
 * The blocks of an encoder as parts, from the last to the first: each tensor (LoRA's too) keeps its values, in random order,
 * so that the scale of activations stays. The final LayerNorm goes with the last block; the embedding of patches stays.
 *
 * @param firsts the first block of each part: [11, 6, 0] makes block 11 random, then 6 to 10, then 0 to 5. Each block alone
 * unless given.
 * @throws EncoderError INVALID_ARGUMENT unless `firsts` falls from below the number of blocks to 0 or more
 */
export function randomisedBlocks(
  vit: Vit,
  { seed, firsts }: { seed: number; firsts?: readonly number[] },
): RandomisedPart[] {
  const depth = vit.config.num_hidden_layers;
  const chosen = firsts ?? Array.from({ length: depth }, (_, i) => depth - 1 - i);
  chosen.forEach((first, i) => {
    const end = i === 0 ? depth : chosen[i - 1]!;
    if (Number.isInteger(first) && first >= 0 && first < end) return;
    throw new EncoderError({
      code: 'INVALID_ARGUMENT',
      message: `firsts is [${chosen}]: whole numbers that fall from below ${depth} to 0 or more are needed.`,
    });
  });
  return chosen.map((first, i) => {
    const end = i === 0 ? depth : chosen[i - 1]!;
    const isIn = (block: number | undefined) =>
      block === undefined ? i === 0 : block >= first && block < end;
    return {
      name: first === end - 1 ? `block ${first}` : `blocks ${first} to ${end - 1}`,
      randomise: () => {
        const stream = new RandomStream(seed, `random weights of blocks ${first} to ${end - 1}`);
        const parameters = vit
          .parameters()
          .filter(({ slot }) => slot.part !== 'patches' && slot.part !== 'preNorm' && isIn(slot.block));
        const before = parameters.map((parameter) => parameter.get());
        for (const parameter of parameters) parameter.set(shuffledValues(parameter.get(), stream));
        const adapters = vit
          .linearPlaces()
          .flatMap(({ layer: { lora }, block }) => (lora && isIn(block) ? [lora.a, lora.b] : []));
        const restoreAdapters = randomiseVariables([...new Set<tf.Variable>(adapters)], stream);
        return () => {
          restoreAdapters();
          parameters.forEach((parameter, at) => {
            parameter.get().dispose();
            parameter.set(before[at]!);
          });
        };
      },
    };
  });
}

/**
 * Puts the values of each variable in random order.
 * @returns the function that puts them back
 */
export function randomiseVariables(variables: readonly tf.Variable[], stream: RandomStream): () => void {
  const before = variables.map((variable) => variable.clone());
  for (const variable of variables) {
    const random = shuffledValues(variable, stream);
    variable.assign(random);
    random.dispose();
  }
  return () => {
    variables.forEach((variable, i) => {
      variable.assign(before[i]!);
    });
    tf.dispose(before);
  };
}

function shuffledValues(tensor: tf.Tensor, stream: RandomStream): tf.Tensor {
  const values = Float32Array.from(tensor.dataSync() as Float32Array);
  for (let i = values.length - 1; i > 0; i--) {
    const j = stream.integer(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return tf.tensor(values, tensor.shape);
}
