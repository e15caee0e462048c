import type * as tf from '@tensorflow/tfjs-core';

export interface CodedBottleneck {
  /** As `bottleneck`: the codebook's vectors. */
  readonly features: tf.Tensor;
  /** Features of the encoder's last stage, of which they were made. */
  readonly encoded: tf.Tensor;
  /** int32 [B, (d,) h, w], from 0 to codebookSize - 1 */
  readonly codes: tf.Tensor;
  readonly codebookSize: number;
}

/** A network that turns patches of an image into one logit a class and voxel. Tensors are channels-last. */
export interface SegmentationNetwork {
  /** Image channels, and for a cascade the one-hot channels of the previous stage after them. */
  readonly inputChannels: number;
  /** Channels of the logits: labels with background, or regions without it. */
  readonly classes: number;
  readonly dimensions: 2 | 3;
  /** By how much the sides of a patch have to be divisible: the product of the encoder's strides, one an axis. */
  readonly divisor: readonly number[];
  /** @param patch [B, (D,) H, W, inputChannels] @returns logits [B, (D,) H, W, classes], on the same grid */
  forward(patch: tf.Tensor): tf.Tensor;
  /** Logits at every resolution of the decoder, the finest (that of `forward`) first: what deep supervision is given. */
  deepSupervision(patch: tf.Tensor): tf.Tensor[];
  /**
   * @returns features of the encoder's last stage, of a vector-quantised network what its codebook makes of them:
   * [B, (d,) h, w, features]
   */
  bottleneck(patch: tf.Tensor): tf.Tensor;
  /** Of a vector-quantised network: the bottleneck, and which vector of the codebook each position has. */
  quantisedBottleneck?(patch: tf.Tensor): CodedBottleneck;
  /** What an optimiser may change, in the order of the state dict. */
  variables(): tf.Variable[];
  dispose(): void;
}
