import * as tf from '@tensorflow/tfjs-core';
import type { Adaptation } from './adaptation.js';
import { attentionWeights } from './attention-weights.js';
import { type Block, block } from './block.js';
import type { Naming, Part } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import { FAMILIES } from './families.js';
import { type LayerNorm, layerNorm } from './layer-norm.js';
import type { ForwardOptions, LayerOptions, Linear } from './linear.js';
import type { LoraConfig } from './lora-config.js';
import type { Parameter } from './parameter.js';
import { type PatchEmbedding, patchEmbedding } from './patch-embedding.js';
import { type PoolingHead, poolingHead } from './pooling-head.js';
import { type PositionEmbedding, positionEmbedding } from './position-embedding.js';
import type { Preprocessing } from './preprocessing.js';
import { type Rotary, rotaryAngles } from './rotary.js';
import type { VitConfig } from './vit-config.js';

export type Pooling = 'cls' | 'mean';

/** Where a linear layer is. `block` is undefined in SigLIP's head. */
export interface LinearPlace {
  readonly layer: Linear;
  readonly part: Part;
  readonly block: number | undefined;
}

export interface VitParts {
  readonly config: VitConfig;
  readonly pooling: Pooling;
  readonly naming: Naming;
  readonly preprocessing: Preprocessing;
  readonly weightsSha256: string;
  readonly patches: PatchEmbedding;
  /** The tokens before the patches, positions added: class token, distillation token, registers. [1, P, E] */
  readonly leading: tf.Tensor3D | undefined;
  readonly positions: PositionEmbedding | undefined;
  readonly preNorm: LayerNorm | undefined;
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
  readonly head: PoolingHead | undefined;
  readonly linears: readonly LinearPlace[];
  /** The tensors of the model that may be trained: all but the patches' kernel, the tokens and their positions. */
  readonly parameters: readonly Parameter[];
}

/** Rows and columns of the patches. */
export interface GridOptions {
  readonly grid?: readonly [number, number];
}

/** What `classToken` may be told about its tokens. */
export interface TokenOptions extends ForwardOptions, GridOptions {
  /**
   * The tokens are data (from a cache, say), so no derivative with respect to them is wanted: that of the first block's
   * linear layers with respect to their input is then left out. Leave it out to explain a prediction by its tokens.
   */
  readonly constantTokens?: boolean;
}

/**
 * A vision transformer (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929), made by `loadVit`. Its own weights are
 * constants: LoRA's A and B are variables, and what `modules_to_save`, `trainBlocks` or `bias` name.
 *
 * In comments B is the batch, N the patches, P the tokens before them (class token, DeiT's distillation token, registers;
 * none in SigLIP), E the width. Every result is the caller's to dispose.
 */
export class Vit {
  readonly config: VitConfig;
  /** What `cls` and `classToken` are. */
  readonly pooling: Pooling;
  /** Who named the tensors of the checkpoint. */
  readonly naming: Naming;
  /** What the checkpoint expects of its pixels. */
  readonly preprocessing: Preprocessing;
  /** SHA-256 of the weights' safetensors file, in hex. */
  readonly weightsSha256: string;
  /** Set by `attachLora`. */
  loraConfig?: LoraConfig;
  /** What `attachLora` put in: internal. */
  adaptation?: Adaptation;
  readonly #parts: VitParts;

  constructor(parts: VitParts) {
    this.#parts = parts;
    this.config = parts.config;
    this.pooling = parts.pooling;
    this.naming = parts.naming;
    this.preprocessing = parts.preprocessing;
    this.weightsSha256 = parts.weightsSha256;
  }

  /**
   * Whether `cls` depends on the first token alone once all blocks have run: not where patches are pooled. Where it does,
   * who caches the tokens of all blocks may keep that one only.
   */
  get usesClassToken(): boolean {
    return this.pooling === 'cls' && !this.#parts.head;
  }

  /**
   * Every block, then the final LayerNorm.
   *
   * @param pixels [B, H, W, 3], normalised as `preprocessing` says; H and W multiples of the patch size
   * @returns cls [B, E], by `pooling`, and patches [B, N, E], row by row (CLIP's without the final LayerNorm, as
   * transformers' `last_hidden_state`)
   * @throws EncoderError INVALID_ARGUMENT for pixels of another shape
   * @example
   * const { cls, patches } = vit.forward(tf.zeros([1, 224, 224, 3]));
   */
  forward(pixels: tf.Tensor4D, options: ForwardOptions = {}): { cls: tf.Tensor2D; patches: tf.Tensor3D } {
    return tf.tidy(() => {
      const embedded = this.#embed(pixels);
      const tokens = this.#run(embedded, 0, this.config.num_hidden_layers, options, this.#gridOf(pixels));
      const patches = this.#patches(tokens); // [B, N, E]
      return { cls: this.#pool(tokens, patches, options), patches };
    });
  }

  /**
   * The tokens after the first `frozenBlocks` blocks, which no training changes: compute them once, keep them, and give
   * them to `classToken`.
   *
   * @param pixels [B, H, W, 3] as for `forward`
   * @returns [B, P + N, E]
   * @throws EncoderError INVALID_ARGUMENT, also where something in the first `frozenBlocks` blocks is trained
   */
  prefix(pixels: tf.Tensor4D, frozenBlocks: number): tf.Tensor3D {
    this.#checkBlock(frozenBlocks);
    const adapted = this.#firstTrained();
    if (adapted !== undefined && (adapted === 'embedding' || adapted < frozenBlocks)) {
      throw new EncoderError({
        code: 'INVALID_ARGUMENT',
        message:
          adapted === 'embedding'
            ? "The biases of the embedding are trained (bias: 'all'), so nothing is frozen: use forward."
            : `Block ${adapted} has a LoRA or is trained, so at most ${adapted} blocks are frozen; ${frozenBlocks} were asked for.`,
      });
    }
    return tf.tidy(() => this.#run(this.#embed(pixels), 0, frozenBlocks, {}, this.#gridOf(pixels)));
  }

  /**
   * What `forward` returns as `cls`, from the tokens of `prefix(pixels, fromBlock)`: the blocks from `fromBlock` on, then
   * the final LayerNorm and pooling. Where the class token is wanted, the last block works for it only. Inside
   * `tf.variableGrads` the gradient ends at `tokens`, so it costs only the blocks that run here.
   *
   * @param tokens [B, P + N, E]; after all blocks, where `usesClassToken`, the first token [B, 1, E] is enough
   * @param options.grid rows and columns of the patches: needed by rotary positions (DINOv3) where the image is not square
   * @returns [B, E]
   */
  classToken(
    tokens: tf.Tensor3D,
    fromBlock: number,
    { constantTokens = false, ...options }: TokenOptions = {},
  ): tf.Tensor2D {
    this.#checkBlock(fromBlock);
    const { hidden_size: width, num_hidden_layers: depth } = this.config;
    const count = (tokens.shape[1] ?? 0) - this.#leadingCount(); // patches
    // A single token after all blocks is a class token, never to be taken for an image of one patch.
    const isEnough =
      fromBlock < depth ? count >= 1 : tokens.shape[1] === 1 ? this.usesClassToken : count >= 1;
    if (tokens.rank !== 3 || !isEnough || tokens.shape[2] !== width) {
      throw new EncoderError({
        code: 'INVALID_ARGUMENT',
        message: `Tokens of the shape [${tokens.shape}] were given, [B, ${this.#leadingCount()} + N, ${width}] is needed.`,
      });
    }
    return tf.tidy(() => {
      const side = Math.round(Math.sqrt(count));
      const grid = options.grid ?? [side, side];
      if (!this.usesClassToken) {
        const all = this.#run(tokens, fromBlock, depth, { ...options, constantInput: constantTokens }, grid); // [B, P + N, E]
        return this.#pool(all, this.#patches(all), options);
      }
      if (fromBlock === depth) return layerNorm(this.#first(tokens), this.#parts.norm); // [B, E]
      const x = this.#run(tokens, fromBlock, depth - 1, { ...options, constantInput: constantTokens }, grid); // [B, P + N, E]
      const constantInput = constantTokens && x === tokens;
      const placed = { ...this.#placed(options, grid, count), constantInput };
      const last = block(x, this.#parts.blocks[depth - 1]!, 'class', placed); // [B, 1, E]
      return layerNorm(this.#first(last), this.#parts.norm); // [B, E]
    });
  }

  /**
   * Folds the attention of each block, [1, heads, P + N, P + N], from the first to the last: internal. One block's attention is
   * in memory at a time.
   *
   * @param image [1, H, W, 3]
   */
  foldAttention<T extends tf.Tensor>(
    image: tf.Tensor4D,
    fold: (folded: T | undefined, attention: tf.Tensor4D) => T,
  ): T {
    return tf.tidy(() => {
      let tokens = this.#embed(image);
      let folded: T | undefined;
      const placed = this.#placed({}, this.#gridOf(image), tokens.shape[1] - this.#leadingCount());
      for (const layers of this.#parts.blocks) {
        [tokens, folded] = tf.tidy(() => {
          const attention = attentionWeights(layerNorm(tokens, layers.norm1), layers.attention, placed);
          return [block(tokens, layers, 'all', placed), fold(folded, attention)] as [tf.Tensor3D, T];
        });
      }
      return folded as T;
    });
  }

  /**
   * All there is to train: LoRA's A and B of each adapted layer, then what `modules_to_save`, `trainBlocks` or `bias`
   * name, each in the order of the blocks.
   *
   * @throws EncoderError ADAPTER_MERGED, since training what is merged would change nothing
   */
  trainableVariables(): tf.Variable[] {
    if (this.linears().some(({ lora }) => lora?.weightBeforeMerge)) {
      throw new EncoderError({
        code: 'ADAPTER_MERGED',
        message: 'The LoRA is merged: call unmergeLora before training.',
      });
    }
    const variables = this.linears().flatMap(({ lora }) => (lora ? [lora.a, lora.b] : []));
    const trained = [...(this.adaptation?.trained.keys() ?? [])].map(
      (parameter) => parameter.get() as tf.Variable,
    );
    return [...new Set<tf.Variable>([...variables, ...trained])]; // fused layers share an A
  }

  /** The linear layers of every block: query, key, value, output, (gate,) fc1, fc2; last those of SigLIP's head. */
  linears(): Linear[] {
    return this.#parts.linears.map(({ layer }) => layer);
  }

  /** The linear layers with their places: internal. */
  linearPlaces(): readonly LinearPlace[] {
    return this.#parts.linears;
  }

  /** What may be trained in full: internal. */
  parameters(): readonly Parameter[] {
    return this.#parts.parameters;
  }

  /** Frees the weights and any LoRA. The encoder is of no use afterwards. */
  dispose(): void {
    const { patches, leading, parameters } = this.#parts;
    tf.dispose([patches.weight, ...(leading ? [leading] : [])]);
    tf.dispose(parameters.map((parameter) => parameter.get()));
    tf.dispose([...(this.adaptation?.trained.values() ?? [])]);
    for (const { lora } of this.linears()) {
      if (lora) tf.dispose([lora.a, lora.b, ...(lora.weightBeforeMerge ? [lora.weightBeforeMerge] : [])]);
    }
  }

  /** Pixels [B, H, W, C] -> leading and patch tokens with their positions [B, P + N, E] */
  #embed(pixels: tf.Tensor4D): tf.Tensor3D {
    const { patches, leading, positions, preNorm } = this.#parts;
    const { patch_size: patch, num_channels: channels, hidden_size: width } = this.config;
    const [batch, height, breadth] = pixels.shape;
    const fits =
      pixels.rank === 4 && pixels.shape[3] === channels && height % patch === 0 && breadth % patch === 0;
    if (!fits || batch * height * breadth === 0) {
      throw new EncoderError({
        code: 'INVALID_ARGUMENT',
        message: `Pixels of the shape [${pixels.shape}] were given; [B, H, W, ${channels}] with H and W multiples of ${patch} is needed.`,
      });
    }
    let embedded = patchEmbedding(pixels, patches); // [B, N, E]
    if (positions) {
      const position = positionEmbedding(positions, height / patch, breadth / patch); // [N, E]
      embedded = tf.add(embedded, tf.reshape(position, [1, -1, width]));
    }
    const tokens = leading ? tf.concat([tf.tile(leading, [batch, 1, 1]), embedded], 1) : embedded; // [B, P + N, E]
    return preNorm ? layerNorm(tokens, preNorm) : tokens;
  }

  #run(
    tokens: tf.Tensor3D,
    from: number,
    to: number,
    { constantInput = false, ...options }: LayerOptions,
    grid: readonly [number, number],
  ): tf.Tensor3D {
    const blocks = this.#parts.blocks.slice(from, to);
    const placed = this.#placed(options, grid, tokens.shape[1] - this.#leadingCount());
    // A scope a block: the intermediates of one are freed before the next starts.
    return blocks.reduce(
      (x, layers, at) =>
        tf.tidy(() => block(x, layers, 'all', { ...placed, constantInput: constantInput && at === 0 })),
      tokens,
    );
  }

  /** The options of a block, with the angles of rotary positions where the family has them. */
  #placed(
    options: ForwardOptions,
    [rows, columns]: readonly [number, number],
    count: number,
  ): ForwardOptions & { rotary?: Rotary } {
    const { model_type, hidden_size: width, num_attention_heads: heads, rope_theta: theta } = this.config;
    if (FAMILIES[model_type].positions !== 'rotary') return options;
    if (rows * columns !== count) {
      const message = `${count} patches are no grid of ${rows} x ${columns}: say which with the option grid, [rows, columns].`;
      throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
    }
    return { ...options, rotary: rotaryAngles(rows, columns, this.#leadingCount(), width / heads, theta) };
  }

  #gridOf({ shape }: tf.Tensor4D): [number, number] {
    return [shape[1] / this.config.patch_size, shape[2] / this.config.patch_size];
  }

  #leadingCount(): number {
    return this.#parts.leading?.shape[1] ?? 0;
  }

  /** The patches as `forward` returns them: [B, P + N, E] -> [B, N, E] */
  #patches(tokens: tf.Tensor3D): tf.Tensor3D {
    const { norm } = this.#parts;
    const patches = tf.slice(tokens, [0, this.#leadingCount(), 0], [-1, -1, -1]);
    return FAMILIES[this.config.model_type].normPatches ? layerNorm(patches, norm) : patches;
  }

  /** [B, P + N, E] and the finished patches -> [B, E] */
  #pool(tokens: tf.Tensor3D, patches: tf.Tensor3D, options: ForwardOptions): tf.Tensor2D {
    const { head, norm } = this.#parts;
    if (this.pooling === 'mean') return tf.mean(patches, 1);
    return head ? poolingHead(patches, head, options) : layerNorm(this.#first(tokens), norm);
  }

  /** The first token: [B, T, E] -> [B, E] */
  #first(tokens: tf.Tensor3D): tf.Tensor2D {
    const [batch, , width] = tokens.shape;
    return tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, width]), [batch, width]);
  }

  /** The first block that training changes; undefined where it changes none. */
  #firstTrained(): number | 'embedding' | undefined {
    const trained = [...(this.adaptation?.trained.keys() ?? [])].map(({ slot }) => slot);
    if (trained.some(({ part }) => part === 'patches' || part === 'preNorm')) return 'embedding';
    const blocks = [
      ...trained.map((slot) => slot.block),
      ...this.#parts.linears.flatMap(({ layer, block }) => (layer.lora ? [block] : [])),
    ].filter((index) => index !== undefined);
    return blocks.length > 0 ? Math.min(...blocks) : undefined;
  }

  #checkBlock(index: number): void {
    const { num_hidden_layers: depth } = this.config;
    if (Number.isInteger(index) && index >= 0 && index <= depth) return;
    throw new EncoderError({
      code: 'INVALID_ARGUMENT',
      message: `Block ${index} of 0 to ${depth} was asked for.`,
    });
  }
}
