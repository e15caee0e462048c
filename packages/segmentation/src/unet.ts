import type { RandomStream } from '@onco-response/engine';
import type { WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { type AttentionGates, attentionGates } from './attention-gates.js';
import type { Layer } from './convolution-block.js';
import type { CodedBottleneck, SegmentationNetwork } from './network.js';
import { plainEncoder } from './plain-conv-unet.js';
import { type QuantisedBottleneck, quantisedBottleneck } from './quantised-bottleneck.js';
import { residualEncoder } from './residual-encoder-unet.js';
import { SegmentationError } from './segmentation-error.js';
import type { UNetArchitecture } from './unet-architecture.js';
import { type DecoderStage, unetDecoder } from './unet-decoder.js';
import { UNetWeights } from './unet-weights.js';

/** What a training step needs of a forward pass. */
export interface TrainingPass {
  /** As `deepSupervision`. */
  readonly logits: tf.Tensor[];
  /** A term of the loss that the network itself asks for: that of a codebook. */
  readonly auxiliaryLoss: tf.Scalar | undefined;
}

/**
 * nnU-Net's U-Nets: an encoder of strided stages and a decoder that joins each stage's features again; and on the same
 * stages Attention U-Net, whose skips are gated, and a U-Net with a vector-quantised bottleneck. Images of two dimensions
 * are volumes of one slice inside.
 */
export class UNet implements SegmentationNetwork {
  readonly dimensions: 2 | 3;
  readonly divisor: readonly number[];
  readonly #weights: UNetWeights;
  readonly #encoder: readonly Layer[];
  readonly #decoder: readonly DecoderStage[];
  readonly #attention: AttentionGates | undefined;
  readonly #quantiser: QuantisedBottleneck | undefined;
  /** Of a vector-quantised network. */
  readonly quantisedBottleneck?: (patch: tf.Tensor) => CodedBottleneck;

  /**
   * @param source a torch state dict, or the random stream that an untrained network is drawn from
   * @throws SegmentationError WEIGHTS_MISMATCH
   */
  constructor(
    readonly architecture: UNetArchitecture,
    readonly inputChannels: number,
    readonly classes: number,
    source: ReadonlyMap<string, WeightTensor> | RandomStream,
  ) {
    const { dimensions, strides } = architecture;
    this.dimensions = dimensions;
    this.divisor = [0, 1, 2]
      .slice(3 - dimensions)
      .map((axis) => strides.reduce((product, stride) => product * stride[axis]!, 1));
    this.#weights = new UNetWeights(source, dimensions);
    const encoder = architecture.encoder === 'plain' ? plainEncoder : residualEncoder;
    this.#encoder = encoder(this.#weights, architecture, inputChannels);
    this.#decoder = unetDecoder(this.#weights, architecture, classes);
    const { attention, codebook } = architecture;
    this.#attention = attention ? attentionGates(this.#weights, architecture) : undefined;
    if (codebook) {
      const quantiser = quantisedBottleneck(this.#weights, architecture, codebook);
      this.#quantiser = quantiser;
      this.quantisedBottleneck = (patch) =>
        tf.tidy(() => {
          const encoded = this.#encode(patch).at(-1)!;
          const { features, codes } = quantiser.quantise(encoded);
          return {
            features: this.#out(features),
            encoded: this.#out(encoded),
            codes: dimensions === 2 ? tf.squeeze(codes, [1]) : codes,
            codebookSize: codebook.size,
          };
        });
    }
    this.#weights.finish();
  }

  forward(patch: tf.Tensor): tf.Tensor {
    return tf.tidy(() => this.#decode(patch, false).logits[0]!);
  }

  deepSupervision(patch: tf.Tensor): tf.Tensor[] {
    return tf.tidy(() => this.#decode(patch, true).logits);
  }

  /** `deepSupervision` with the network's own term of the loss, of the same forward pass. */
  trainingPass(patch: tf.Tensor): TrainingPass {
    return tf.tidy(() => this.#decode(patch, true) as TrainingPass & tf.TensorContainerObject);
  }

  /** Draws the codebook from the features of a patch; nothing for networks without one. */
  startCodebook(patch: tf.Tensor, random: RandomStream): void {
    tf.tidy(() => this.#quantiser?.start(this.#encode(patch).at(-1)!, random));
  }

  bottleneck(patch: tf.Tensor): tf.Tensor {
    return tf.tidy(
      () => this.quantisedBottleneck?.(patch).features ?? this.#out(this.#encode(patch).at(-1)!),
    );
  }

  variables(): tf.Variable[] {
    const { signal, gates } = this.#attention ?? {};
    const parts = [...this.#encoder, ...this.#decoder, signal, ...(gates?.values() ?? []), this.#quantiser];
    return parts.flatMap((part) => part?.variables ?? []);
  }

  /** Names in the state dict, in the order of `variables`. */
  variableNames(): string[] {
    return this.variables().map((variable) => this.#weights.nameOf(variable));
  }

  /** The weights as a torch state dict, to be written or trained on elsewhere. */
  state(): Map<string, WeightTensor> {
    return this.#weights.state();
  }

  dispose(): void {
    this.#weights.dispose();
  }

  /** Features of every stage, the finest first. */
  #encode(patch: tf.Tensor): tf.Tensor5D[] {
    const skips: tf.Tensor5D[] = [];
    let current = this.#in(patch);
    for (const stage of this.#encoder) {
      current = stage.forward(current);
      skips.push(current);
    }
    return skips;
  }

  #decode(patch: tf.Tensor, everywhere: boolean): TrainingPass {
    const skips = this.#encode(patch);
    const bottleneck = skips.pop()!;
    const signal = this.#attention?.signal.forward(bottleneck);
    const quantised = this.#quantiser?.quantise(bottleneck);
    let current = quantised ? this.#quantiser!.decode(quantised.features) : bottleneck;
    const logits: tf.Tensor[] = [];
    this.#decoder.forEach((stage, index) => {
      const gate = this.#attention?.gates.get(skips.length - 1);
      const plain = skips.pop()!;
      const skip = gate ? gate.forward(plain, signal!) : plain;
      if (gate) plain.dispose();
      const next = stage.forward(current, skip);
      tf.dispose([current, skip]);
      current = next;
      if (everywhere || index === this.#decoder.length - 1) logits.unshift(this.#out(stage.logits(current)));
    });
    return { logits, auxiliaryLoss: quantised?.loss };
  }

  #in(patch: tf.Tensor): tf.Tensor5D {
    const sizes = patch.shape.slice(1, -1);
    const fits =
      sizes.length === this.dimensions &&
      patch.shape.at(-1) === this.inputChannels &&
      sizes.every((size, axis) => size > 0 && size % this.divisor[axis]! === 0);
    if (!fits) {
      throw new SegmentationError({
        code: 'INVALID_ARGUMENT',
        message: `a patch [${patch.shape}] does not fit this network: it takes [batch, ${this.divisor.map((step) => `n x ${step}`).join(', ')}, ${this.inputChannels}].`,
      });
    }
    const [batch, height, width, channels] = patch.shape as [number, number, number, number];
    return this.dimensions === 2
      ? tf.reshape(patch, [batch, 1, height, width, channels])
      : (patch as tf.Tensor5D);
  }

  #out(x: tf.Tensor5D): tf.Tensor {
    return this.dimensions === 2 ? tf.squeeze(x, [1]) : x;
  }
}
