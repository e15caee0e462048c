import * as tf from '@tensorflow/tfjs-core';
import { countOf } from './array-shape.js';

/** nnU-Net's `smooth`. */
const SMOOTH = 1e-5;

export interface DiceAndCrossEntropyOptions {
  /** One Dice for the batch in place of one for each sample: plans.json's `batch_dice`. */
  readonly batchDice: boolean;
}

/**
 * nnU-Net's loss of labels that exclude each other: cross-entropy minus soft Dice, the mean over voxels and the mean over
 * foreground classes (and samples). Dice is (2 sum(p y) + 1e-5) / (sum(p) + sum(y) + 1e-5); background has none.
 * Its gradient is computed here in closed form: half a dozen tensors of the logits' size in all.
 *
 * @param logits [B, (D,) H, W, classes]
 * @param target int32 [B, (D,) H, W], labels from 0 to classes - 1
 * @returns a scalar, from about -1 on
 * @see Isensee et al. 2021; nnunetv2's DC_and_CE_loss with MemoryEfficientSoftDiceLoss
 * @example
 * const loss = diceAndCrossEntropy(network.forward(patch), labels, { batchDice: false });
 */
export function diceAndCrossEntropy(
  logits: tf.Tensor,
  target: tf.Tensor,
  { batchDice }: DiceAndCrossEntropyOptions,
): tf.Scalar {
  const classes = logits.shape.at(-1)!;
  const batch = logits.shape[0]!;
  const voxels = countOf(target.shape);
  const sums = batchDice ? 1 : batch; // a Dice for each
  const shape: [number, number, number] = [sums, voxels / sums, classes];
  const withGradient = tf.customGrad((...given) => {
    const [x, save] = given as unknown as [tf.Tensor, tf.GradSaveFunc];
    const flat = tf.reshape(x, shape); // [sums, voxels, classes]
    const probabilities = tf.softmax(flat);
    const wanted = tf.cast(tf.oneHot(tf.reshape(target, [voxels]) as tf.Tensor1D, classes), 'float32');
    const truth = tf.reshape(wanted, shape);
    const both = foreground(tf.sum(tf.mul(probabilities, truth), 1)); // [sums, classes - 1]
    const either = tf.add(foreground(tf.sum(probabilities, 1)), foreground(tf.sum(truth, 1)));
    const numerator = tf.add(tf.mul(both, 2), SMOOTH);
    const denominator = tf.add(either, SMOOTH);
    const dice = tf.mean(tf.div(numerator, denominator));
    const crossEntropy = tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(flat), truth)), voxels));
    save([probabilities, truth, numerator, denominator]);
    return {
      value: tf.sub(crossEntropy, dice),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradient = tf.tidy(() => {
          const [p, y, top, bottom] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
          const count = sums * (classes - 1);
          // of -Dice by p: (top / bottom - 2 y) / bottom / count
          const level = withBackground(tf.div(top, tf.mul(tf.square(bottom), count))); // [sums, 1, classes]
          const slope = withBackground(tf.div(2, tf.mul(bottom, count)));
          const byP = tf.sub(level, tf.mul(y, slope));
          const softmax = tf.mul(p, tf.sub(byP, tf.sum(tf.mul(p, byP), -1, true)));
          const total = tf.add(softmax, tf.div(tf.sub(p, y), voxels));
          return tf.reshape(tf.mul(total, dy), logits.shape);
        });
        tf.dispose(saved);
        return gradient;
      },
    };
  });
  return tf.tidy(() => withGradient(logits)) as tf.Scalar;
}

/** [sums, classes] without background */
const foreground = (sums: tf.Tensor): tf.Tensor =>
  tf.slice(sums, [0, 1], [sums.shape[0]!, sums.shape[1]! - 1]);

/** [sums, classes - 1] -> [sums, 1, classes], 0 for background */
const withBackground = (values: tf.Tensor): tf.Tensor =>
  tf.expandDims(
    tf.pad(values, [
      [0, 0],
      [1, 0],
    ]),
    1,
  );

/**
 * Weights of the decoder's outputs, the finest first: 1, 1/2, 1/4 ..., the coarsest 0, normalised to sum 1. Of a single
 * output the weight is 1 (nnU-Net's rule would leave nothing).
 */
export function deepSupervisionWeights(outputs: number): number[] {
  const weights = Array.from({ length: outputs }, (_, index) =>
    index === outputs - 1 && outputs > 1 ? 0 : 1 / 2 ** index,
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * `diceAndCrossEntropy` at every resolution of the decoder, weighted; what weighs 0 is not computed.
 * @param logits of `network.deepSupervision`, the finest first
 * @param targets of the same resolutions: see `downsampleLabels`
 */
export function deepSupervisionLoss(
  logits: readonly tf.Tensor[],
  targets: readonly tf.Tensor[],
  options: DiceAndCrossEntropyOptions,
): tf.Scalar {
  return tf.tidy(() => {
    const terms = deepSupervisionWeights(logits.length).flatMap((weight, index) =>
      weight === 0 ? [] : [tf.mul(diceAndCrossEntropy(logits[index]!, targets[index]!, options), weight)],
    );
    return tf.addN(terms) as tf.Scalar;
  });
}
