import * as tf from '@tensorflow/tfjs-core';
import { LossError } from './loss-error.js';

/** Class labels: whole numbers, as an array or a tensor [B]. The values of a tensor are trusted, to spare a read-back. */
export type Labels = ArrayLike<number> | tf.Tensor;

/** Labels as a float tensor [B]; raises where their number or their values are wrong. */
export function labelTensor(labels: Labels, count: number, what: string, binary: boolean): tf.Tensor1D {
  const length = labels instanceof tf.Tensor ? labels.size : labels.length;
  if (length !== count || (labels instanceof tf.Tensor && labels.rank !== 1)) {
    throw new LossError({
      code: 'SHAPE',
      message: `${length} labels for ${count} ${what}; expected one label each, as an array or a tensor [B].`,
    });
  }
  if (labels instanceof tf.Tensor) return tf.cast(labels, 'float32') as tf.Tensor1D;
  const values = Array.from(labels);
  const wrong = values.findIndex(
    (label) => !Number.isInteger(label) || (binary && label !== 0 && label !== 1),
  );
  if (wrong >= 0) {
    throw new LossError({
      code: 'LABELS',
      message: `Label ${values[wrong]} at position ${wrong}; expected ${binary ? '0 or 1' : 'a whole number'}.`,
    });
  }
  return tf.tensor1d(values, 'float32');
}

/** Raises unless `condition` holds for an option. */
export function checkOption(condition: boolean, message: string): void {
  if (!condition) throw new LossError({ code: 'OPTIONS', message });
}
