import * as tf from '@tensorflow/tfjs-core';
import { type Block, block } from './block.js';
import { EncoderError } from './encoder-error.js';
import { type LayerNorm, layerNorm } from './layer-norm.js';
import type { ForwardOptions, Linear } from './linear.js';
import type { LoraConfig } from './lora-config.js';
import { type PatchEmbedding, patchEmbedding } from './patch-embedding.js';
import { type PositionEmbedding, positionEmbedding } from './position-embedding.js';
import type { Preprocessing } from './preprocessing.js';
import type { VitConfig } from './vit-config.js';

export interface VitParts {
  readonly config: VitConfig;
  readonly preprocessing: Preprocessing;
  readonly weightsSha256: string;
  readonly patches: PatchEmbedding;
  readonly classToken: tf.Tensor3D; // [1, 1, E]
  readonly positions: PositionEmbedding;
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
}

/**
 * A vision transformer (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929; DINOv2: Oquab et al. 2023,
 * https://arxiv.org/abs/2304.07193), made by `loadVit`. Its own weights are constants: only LoRA's A and B are variables.
 *
 * In comments B is the batch, N the patches, E the width. Every result is the caller's to dispose.
 */
export class Vit {
  readonly config: VitConfig;
  /** What the checkpoint expects of its pixels. */
  readonly preprocessing: Preprocessing;
  /** SHA-256 of the weights' safetensors file, in hex. */
  readonly weightsSha256: string;
  /** Set by `attachLora`. */
  loraConfig?: LoraConfig;
  readonly #parts: VitParts;

  constructor(parts: VitParts) {
    this.#parts = parts;
    this.config = parts.config;
    this.preprocessing = parts.preprocessing;
    this.weightsSha256 = parts.weightsSha256;
  }

  /**
   * Every block, then the final LayerNorm.
   *
   * @param pixels [B, H, W, 3], normalised as `preprocessing` says; H and W multiples of the patch size
   * @returns cls [B, E] and patches [B, N, E], row by row
   * @throws EncoderError INVALID_ARGUMENT for pixels of another shape
   * @example
   * const { cls, patches } = vit.forward(tf.zeros([1, 224, 224, 3]));
   */
  forward(pixels: tf.Tensor4D, options: ForwardOptions = {}): { cls: tf.Tensor2D; patches: tf.Tensor3D } {
    const { hidden_size: width, num_hidden_layers: depth } = this.config;
    return tf.tidy(() => {
      const tokens = layerNorm(this.#run(this.#embed(pixels), 0, depth, options), this.#parts.norm); // [B, 1 + N, E]
      const [batch, count] = tokens.shape;
      return {
        cls: tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, width]), [batch, width]), // [B, E]
        patches: tf.slice(tokens, [0, 1, 0], [batch, count - 1, width]), // [B, N, E]
      };
    });
  }

  /**
   * The tokens after the first `frozenBlocks` blocks, which no training changes: compute them once, keep them, and give
   * them to `classToken`.
   *
   * @param pixels [B, H, W, 3] as for `forward`
   * @returns [B, 1 + N, E]
   * @throws EncoderError INVALID_ARGUMENT, also where LoRA is attached inside the first `frozenBlocks` blocks
   */
  prefix(pixels: tf.Tensor4D, frozenBlocks: number): tf.Tensor3D {
    this.#checkBlock(frozenBlocks);
    const adapted = this.#adaptedBlocks().find((index) => index < frozenBlocks);
    if (adapted !== undefined) {
      throw new EncoderError({
        code: 'INVALID_ARGUMENT',
        message: `Block ${adapted} has a LoRA, so at most ${adapted} blocks are frozen; ${frozenBlocks} were asked for.`,
      });
    }
    return tf.tidy(() => this.#run(this.#embed(pixels), 0, frozenBlocks, {}));
  }

  /**
   * The class token of the blocks from `fromBlock` on and the final LayerNorm. Equal to `forward(pixels).cls` where
   * `tokens` is `prefix(pixels, fromBlock)`; the last block works for the class token only. Inside `tf.variableGrads`
   * the gradient ends at `tokens`, so it costs only the blocks that run here.
   *
   * @param tokens [B, 1 + N, E]
   * @returns [B, E]
   */
  classToken(tokens: tf.Tensor3D, fromBlock: number, options: ForwardOptions = {}): tf.Tensor2D {
    this.#checkBlock(fromBlock);
    const { hidden_size: width, num_hidden_layers: depth } = this.config;
    if (tokens.rank !== 3 || tokens.shape[2] !== width) {
      throw new EncoderError({
        code: 'INVALID_ARGUMENT',
        message: `Tokens of the shape [${tokens.shape}] were given, [B, 1 + N, ${width}] is needed.`,
      });
    }
    return tf.tidy(() => {
      const [batch] = tokens.shape;
      let x = this.#run(tokens, fromBlock, depth - 1, options); // [B, 1 + N, E]
      const last = this.#parts.blocks[depth - 1]!;
      if (fromBlock < depth) x = block(x, last, 'class', options); // [B, 1, E]
      return layerNorm(
        tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]),
        this.#parts.norm,
      ); // [B, E]
    });
  }

  /**
   * LoRA's A and B of each adapted layer, in the order of the blocks: all there is to train.
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
    return this.linears().flatMap(({ lora }) => (lora ? [lora.a, lora.b] : []));
  }

  /** The linear layers of every block: query, key, value, output, fc1, fc2. LoRA attaches to these. */
  linears(): Linear[] {
    return this.#parts.blocks.flatMap(linearsOf);
  }

  /** Frees the weights and any LoRA. The encoder is of no use afterwards. */
  dispose(): void {
    const { patches, classToken, blocks, norm } = this.#parts;
    const norms = [norm, ...blocks.flatMap(({ norm1, norm2 }) => [norm1, norm2])];
    tf.dispose([patches.weight, patches.bias, classToken]);
    tf.dispose(norms.flatMap(({ weight, bias }) => [weight, bias]));
    tf.dispose(
      blocks.flatMap(({ scale1, scale2 }) => [scale1, scale2].filter((scale) => scale !== undefined)),
    );
    for (const { weight, bias, lora } of this.linears()) {
      tf.dispose([weight, ...(bias ? [bias] : [])]);
      if (lora) tf.dispose([lora.a, lora.b, ...(lora.weightBeforeMerge ? [lora.weightBeforeMerge] : [])]);
    }
  }

  /** Pixels [B, H, W, C] -> class and patch tokens with their positions [B, 1 + N, E] */
  #embed(pixels: tf.Tensor4D): tf.Tensor3D {
    const { patches, classToken, positions } = this.#parts;
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
    const embedded = patchEmbedding(pixels, patches); // [B, N, E]
    const first = tf.tile(classToken, [batch, 1, 1]); // [B, 1, E]
    const position = positionEmbedding(positions, height / patch, breadth / patch); // [1 + N, E]
    return tf.add(tf.concat([first, embedded], 1), tf.reshape(position, [1, -1, width]));
  }

  #run(tokens: tf.Tensor3D, from: number, to: number, options: ForwardOptions): tf.Tensor3D {
    const blocks = this.#parts.blocks.slice(from, to);
    // A scope a block: the intermediates of one are freed before the next starts.
    return blocks.reduce((x, layers) => tf.tidy(() => block(x, layers, 'all', options)), tokens);
  }

  #adaptedBlocks(): number[] {
    return this.#parts.blocks.flatMap((layers, index) =>
      linearsOf(layers).some(({ lora }) => lora) ? [index] : [],
    );
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

function linearsOf({ attention, mlp }: Block): Linear[] {
  return [attention.query, attention.key, attention.value, attention.output, mlp.fc1, mlp.fc2];
}
