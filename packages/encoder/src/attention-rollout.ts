import * as tf from '@tensorflow/tfjs-core';
import { EncoderError } from './encoder-error.js';
import type { Vit } from './vit.js';

/**
 * Attention rollout: how much of each patch reaches the embedding, if all that blocks do is to mix tokens by their attention
 * and to keep half of each. A_l = (mean over heads + I) / 2, rows summing to 1; the rollout is A_L ... A_2 A_1, of which the
 * class token's row is taken (the mean of the patches' rows where the embedding is their mean). A LoRA counts. Images go one
 * at a time, so memory is that of one image: two matrices of [tokens, tokens] a block.
 *
 * Rollout knows nothing of the values, the MLPs and the task: it says where attention flows, not what argues for a class.
 *
 * @param pixels [B, H, W, 3] as for `vit.forward`
 * @param heads how heads are joined; `max` is a common variant, rows then being divided by their sum
 * @returns [B, H / patch, W / patch]; with the part of the other tokens, each map sums to 1
 * @throws EncoderError UNSUPPORTED for SigLIP's pooling head, whose own attention decides; INVALID_ARGUMENT
 * @see Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928
 * @example
 * const map = attentionRollout(vit, pixels); // [B, 16, 16] for images of 224 and patches of 14
 */
export function attentionRollout(
  vit: Vit,
  pixels: tf.Tensor4D,
  { heads = 'mean' }: { heads?: 'mean' | 'max' } = {},
): tf.Tensor3D {
  if (vit.config.pooling_head && vit.pooling === 'cls') {
    throw new EncoderError({
      code: 'UNSUPPORTED',
      message:
        "Attention rollout of SigLIP's pooling head is not computed: load the encoder with pooling 'mean'.",
    });
  }
  const patch = vit.config.patch_size;
  return tf.tidy(() => {
    const maps = (tf.split(pixels, pixels.shape[0]) as tf.Tensor4D[]).map((image) => {
      const rollout = vit.foldAttention(image, (before: tf.Tensor2D | undefined, attention) => {
        const joined = tf.squeeze(heads === 'max' ? tf.max(attention, 1) : tf.mean(attention, 1), [0]); // [T, T]
        const kept = tf.add(joined, tf.eye(joined.shape[0]!));
        const mixed = tf.div(kept, tf.sum(kept, 1, true)) as tf.Tensor2D;
        return before ? tf.matMul(mixed, before) : mixed;
      }); // [T, T]
      const [rows, columns] = [image.shape[1] / patch, image.shape[2] / patch];
      const others = rollout.shape[0] - rows * columns; // class token and registers
      const asked =
        vit.pooling === 'mean' ? tf.mean(tf.slice(rollout, [others, 0]), 0) : tf.gather(rollout, 0); // [T]
      return tf.reshape(tf.slice(asked as tf.Tensor1D, [others]), [1, rows, columns]);
    });
    return tf.concat(maps) as tf.Tensor3D;
  });
}
