import {
  type Aggregation,
  attention,
  contextualAttention,
  gatedAttention,
  maxPool,
  meanPool,
  transformerPool,
} from '@onco-response/aggregation';
import type { Standardiser } from '@onco-response/cohort';
import type { Vit } from '@onco-response/encoder';
import { type RandomState, RandomStream } from '@onco-response/engine';
import { type LesionBag, type LesionSlices, lesionBags, lesionSlices } from '@onco-response/lesion-mask';
import type { Mask, Volume } from '@onco-response/volume';
import * as tf from '@tensorflow/tfjs-core';
import { adaptEncoder, adapterVariables, frozenBlocks } from './adapted-encoder.js';
import {
  type ClinicalValues,
  checkStandardiser,
  clinicalFeatures,
  clinicalTensor,
} from './clinical-features.js';
import { ResponseHead } from './head.js';
import type { Recipe } from './recipe.js';
import { ResponseModelError } from './response-model-error.js';

/**
 * Slices of one case that go through the frozen blocks at once. Never of several cases: libtensorflow's last bits depend
 * on the batch around a slice, and a case's tokens may not depend on which cases were computed with it.
 */
const PREFIX_BATCH = 32;

export interface ForwardResult {
  /** [B] */
  logits: tf.Tensor1D;
  /** [B, D] volumetric embedding. */
  embedding: tf.Tensor2D;
  /** [B, P] L2-normalised projection for the contrastive losses. */
  projection: tf.Tensor2D;
  /** [B, S] weight of each slice, 0 for padding. */
  attention: tf.Tensor2D;
}

/** What the model says of one case. */
export interface CasePrediction {
  logit: number;
  /** One weight a slice, in the order of `slices.sliceIndices`; sums to 1. */
  attention: number[];
  embedding: Float32Array;
  slices: LesionSlices;
}

/** Slice tokens after the frozen blocks, [S, N, E] row-major; N is 1 where only the class token is needed. */
export interface PrefixTokens {
  data: Float32Array;
  shape: [number, number, number];
}

/**
 * One response model: frozen prefix of the encoder -> adapted last blocks -> attention over slices -> head.
 *
 * The frozen prefix is a function of its own (`prefixTokens`), so that training computes it once a slice and keeps it.
 */
export class ResponseModel {
  readonly recipe: Recipe;
  readonly vit: Vit;
  /** Turns clinical values into the numbers that join the embedding; undefined where the recipe names no columns. */
  readonly clinical: Standardiser | undefined;
  readonly #pool: Aggregation;
  readonly #head: ResponseHead;
  readonly #adapterDropout: RandomStream;
  readonly #centre: tf.Variable<tf.Rank.R1>;
  readonly #spread: tf.Variable<tf.Rank.R1>;

  /**
   * @param vit an encoder, adapted here as `recipe.encoder` says unless it has an adapter already
   * @param seed seeds the initial weights and every dropout
   * @param clinical fitted on the TRAINING cases, on the columns of `recipe.clinical`
   * @throws ResponseModelError INVALID_RECIPE when the recipe does not fit the encoder or the standardiser
   */
  constructor({
    recipe,
    vit,
    seed,
    clinical,
  }: {
    recipe: Recipe;
    vit: Vit;
    seed: number;
    clinical?: Standardiser;
  }) {
    if (recipe.input.imageSize % vit.config.patch_size !== 0) {
      throw new ResponseModelError({
        code: 'INVALID_RECIPE',
        message: `input.imageSize is ${recipe.input.imageSize}, not a multiple of the encoder's patch size ${vit.config.patch_size}`,
      });
    }
    this.clinical = checkStandardiser(recipe.clinical, clinical);
    this.recipe = recipe;
    this.vit = vit;
    adaptEncoder(vit, recipe.encoder, seed);
    this.#adapterDropout = new RandomStream(seed, 'adapter dropout');
    this.#centre = tf.tidy(() => tf.variable(tf.zeros([vit.config.hidden_size]), false));
    this.#spread = tf.tidy(() => tf.variable(tf.ones([vit.config.hidden_size]), false));
    this.#pool = createPool(recipe.aggregation, vit.config.hidden_size, seed);
    this.#head = new ResponseHead({
      ...recipe.head,
      inputSize: this.#pool.outputSize + (this.clinical?.features.length ?? 0),
      random: new RandomStream(seed, 'head'),
    });
  }

  /** Blocks whose output never changes while this model trains. */
  get frozenBlocks(): number {
    return frozenBlocks(this.vit, this.recipe.encoder);
  }

  /**
   * Fixes the mean and standard deviation by which every dimension of a slice embedding is standardised from now on.
   * A pretrained encoder's embeddings share a large common part; without this, training spends its steps on that.
   * @param cases [slices, E] slice embeddings of each TRAINING case; read one at a time
   */
  async standardise(cases: AsyncIterable<Float32Array> | Iterable<Float32Array>): Promise<void> {
    const width = this.vit.config.hidden_size;
    const centre = new Float64Array(width);
    const squares = new Float64Array(width);
    let count = 0;
    for await (const rows of cases) {
      for (let start = 0; start < rows.length; start += width) {
        count += 1;
        for (let j = 0; j < width; j++) {
          // Welford's update, which does not lose digits where the mean is large beside the deviation
          const value = rows[start + j]!;
          const before = value - centre[j]!;
          centre[j]! += before / count;
          squares[j]! += before * (value - centre[j]!);
        }
      }
    }
    tf.tidy(() => {
      this.#centre.assign(tf.tensor1d(Float32Array.from(centre)));
      this.#spread.assign(
        tf.tensor1d(Float32Array.from(squares, (square) => Math.sqrt(square / count) + 1e-6)),
      );
    });
  }

  /** [S, E] slice embeddings of a case as they are, before standardisation. */
  async sliceEmbeddings({ data, shape }: PrefixTokens): Promise<Float32Array> {
    const embeddings = tf.tidy(() => this.vit.classToken(tf.tensor3d(data, shape), this.frozenBlocks));
    const values = Float32Array.from(await embeddings.data());
    embeddings.dispose();
    return values;
  }

  /** The slices that the encoder sees of a case. Errors are lesion-mask's. */
  slices(volume: Volume, mask: Mask): LesionSlices {
    return inputSlices(volume, mask, this.recipe, this.vit);
  }

  /**
   * Runs the frozen blocks over a case's slices. Where all blocks are frozen and the encoder's embedding is its class
   * token, only that token is kept.
   */
  async prefixTokens(slices: LesionSlices): Promise<PrefixTokens> {
    const { count, imageSize, pixels } = slices;
    const perSlice = imageSize * imageSize * 3;
    const parts: Float32Array[] = [];
    let shape: [number, number, number] = [0, 0, 0];
    for (let start = 0; start < count; start += PREFIX_BATCH) {
      const stop = Math.min(count, start + PREFIX_BATCH);
      const tokens = tf.tidy(() => {
        const batch = tf.tensor4d(pixels.subarray(start * perSlice, stop * perSlice), [
          stop - start,
          imageSize,
          imageSize,
          3,
        ]);
        const all = this.vit.prefix(batch, this.frozenBlocks); // [b, N, E]
        const needsAll = this.frozenBlocks < this.vit.config.num_hidden_layers || !this.vit.usesClassToken;
        if (needsAll) return all;
        return tf.slice(all, [0, 0, 0], [-1, 1, -1]); // [b, 1, E]
      });
      shape = [count, tokens.shape[1], tokens.shape[2]];
      parts.push((await tokens.data()) as Float32Array);
      tokens.dispose();
    }
    const data = new Float32Array(shape[0] * shape[1] * shape[2]);
    let offset = 0;
    for (const part of parts) {
      data.set(part, offset);
      offset += part.length;
    }
    return { data, shape };
  }

  /**
   * @param tokens [sum of bagSizes, N, E] prefix tokens of the slices of B cases, case after case
   * @param bagSizes slices of each case
   * @param options.training applies dropout
   * @param options.clinical the clinical values of each case, where the recipe names columns
   * @throws ResponseModelError MISSING_CLINICAL, INVALID_INPUT; CohortError COLUMN, UNKNOWN_CATEGORY
   */
  forward(
    tokens: tf.Tensor3D,
    bagSizes: readonly number[],
    { training = false, clinical }: { training?: boolean; clinical?: readonly ClinicalValues[] } = {},
  ): ForwardResult {
    return tf.tidy(() => {
      const classTokens = this.vit.classToken(
        tokens,
        this.frozenBlocks,
        training ? { dropout: this.#adapterDropout, constantTokens: true } : {},
      ); // [sum S, E]
      return {
        ...this.forwardEmbeddings(classTokens, bagSizes, { training, ...(clinical && { clinical }) }),
      };
    });
  }

  /**
   * What `forward` does once the encoder has run: pooling and head, on slice embeddings as `sliceEmbeddings` and the encoder
   * give them. To explain a prediction by one slice with the others as they are, or by the clinical values.
   * @param embeddings [sum of bagSizes, E], before standardisation
   * @throws ResponseModelError and CohortError as `forward`
   */
  forwardEmbeddings(
    embeddings: tf.Tensor2D,
    bagSizes: readonly number[],
    { training = false, clinical }: { training?: boolean; clinical?: readonly ClinicalValues[] } = {},
  ): ForwardResult {
    return tf.tidy(() => {
      const standardised = tf.div(tf.sub(embeddings, this.#centre), this.#spread) as tf.Tensor2D; // [sum S, E]
      const { bags, mask } = padBags(standardised, bagSizes); // [B, S, E], [B, S]
      const { embedding, attention: weights } = this.#pool.forward(bags, { mask, training });
      const fused = this.clinical
        ? (tf.concat([embedding, clinicalTensor(this.clinical, clinical, bagSizes.length)], 1) as tf.Tensor2D)
        : embedding; // [B, D + F]
      const { logits, projection } = this.#head.forward(fused, training);
      return { logits, embedding, projection, attention: weights };
    });
  }

  /** One case, from its prefix tokens and, where the recipe names columns, its clinical values. */
  async predictTokens(
    { data, shape }: PrefixTokens,
    clinical?: ClinicalValues,
  ): Promise<Omit<CasePrediction, 'slices'>> {
    const {
      logits,
      embedding,
      attention: weights,
    } = tf.tidy(() => {
      const values = clinical ? { clinical: [clinical] } : {};
      const { projection: _, ...rest } = this.forward(tf.tensor3d(data, shape), [shape[0]], values);
      return rest;
    });
    const [logit, values, slices] = await Promise.all([logits.data(), embedding.data(), weights.data()]);
    tf.dispose([logits, embedding, weights]);
    return { logit: logit[0] as number, attention: Array.from(slices), embedding: Float32Array.from(values) };
  }

  /**
   * One case, from its volume and lesion mask and, where the recipe names columns, its clinical values.
   * @throws ResponseModelError MISSING_CLINICAL, INVALID_INPUT, CohortError COLUMN, UNKNOWN_CATEGORY before anything is
   * computed; errors of lesion-mask
   */
  async predict(volume: Volume, mask: Mask, clinical?: ClinicalValues): Promise<CasePrediction> {
    if (this.clinical) clinicalFeatures(this.clinical, clinical);
    const slices = this.slices(volume, mask);
    return { ...(await this.predictTokens(await this.prefixTokens(slices), clinical)), slices };
  }

  /** Everything that a bundle or a checkpoint has to keep: what is trained, and the standardisation. */
  namedTensors(): Record<string, tf.Variable> {
    return {
      ...this.namedVariables(),
      'standardisation.mean': this.#centre,
      'standardisation.deviation': this.#spread,
    };
  }

  /** Everything that is trained, under names that are the same in every process. */
  namedVariables(): Record<string, tf.Variable> {
    return {
      ...prefixed('adapter', adapterVariables(this.vit)),
      ...prefixed('aggregation', this.#pool.namedVariables()),
      ...prefixed('head', this.#head.namedVariables()),
    };
  }

  /** Where dropout draws from, by purpose: with `restoreStreams`, what exact resumption needs. */
  streams(): Record<string, RandomState> {
    return Object.fromEntries(
      Object.entries(this.#streams()).map(([name, stream]) => [name, stream.state()]),
    );
  }

  restoreStreams(states: Record<string, RandomState>): void {
    for (const [name, stream] of Object.entries(this.#streams())) {
      const state = states[name];
      if (!state)
        throw new ResponseModelError({
          code: 'INVALID_INPUT',
          message: `no saved state of the stream ${name}`,
        });
      stream.restore(state);
    }
  }

  #streams(): Record<string, RandomStream> {
    const all = { adapter: this.#adapterDropout, aggregation: this.#pool.random, head: this.#head.random };
    return Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, RandomStream] => !!entry[1]),
    );
  }

  /** Frees the encoder, the aggregation and the head. */
  dispose(): void {
    this.vit.dispose();
    this.#pool.dispose();
    this.#head.dispose();
    tf.dispose([this.#centre, this.#spread]);
  }
}

/** The slices that an encoder sees of a case under a recipe. Errors are lesion-mask's. */
export function inputSlices(
  volume: Volume,
  mask: Mask,
  { input }: Pick<Recipe, 'input'>,
  { preprocessing }: { preprocessing: Pick<Vit['preprocessing'], 'mean' | 'std'> },
): LesionSlices {
  const { mode, lesions, ...rest } = input;
  const options = { ...rest, input: mode, mean: preprocessing.mean, std: preprocessing.std };
  if (lesions === 'joint') return lesionSlices(volume, mask, options);
  const [bag] = lesionBags(volume, mask, options, { bags: lesions });
  return (bag as LesionBag).slices;
}

function createPool(
  { kind, hiddenSize, heads, layers, dropout }: Recipe['aggregation'],
  inputSize: number,
  seed: number,
): Aggregation {
  switch (kind) {
    case 'contextual':
      return contextualAttention({ inputSize, hiddenSize, dropout, seed });
    case 'gated':
      return gatedAttention({ inputSize, hiddenSize, dropout, seed });
    case 'attention':
      return attention({ inputSize, hiddenSize, dropout, seed });
    case 'transformer':
      return transformerPool({ inputSize, hiddenSize, heads, layers, dropout, seed });
    case 'mean':
      return meanPool({ inputSize });
    case 'max':
      return maxPool({ inputSize });
  }
}

/** [sum S, E] -> [B, max S, E] with zeros behind short bags, and the mask of what is real. */
function padBags(rows: tf.Tensor2D, bagSizes: readonly number[]): { bags: tf.Tensor3D; mask: tf.Tensor2D } {
  const longest = Math.max(...bagSizes);
  const mask = tf.tensor2d(
    bagSizes.flatMap((size) => Array.from({ length: longest }, (_, i) => (i < size ? 1 : 0))),
    [bagSizes.length, longest],
  );
  if (bagSizes.every((size) => size === longest)) {
    return { bags: tf.reshape(rows, [bagSizes.length, longest, -1]) as tf.Tensor3D, mask };
  }
  let start = 0;
  const padded = bagSizes.map((size) => {
    const bag = tf.slice(rows, [start, 0], [size, -1]); // [S, E]
    start += size;
    return tf.pad(bag, [
      [0, longest - size],
      [0, 0],
    ]);
  });
  return { bags: tf.stack(padded) as tf.Tensor3D, mask };
}

function prefixed<T>(prefix: string, named: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [`${prefix}.${name}`, value]));
}
