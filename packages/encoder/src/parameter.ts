import type * as tf from '@tensorflow/tfjs-core';
import type { Slot } from './slots.js';

/** A tensor of the model that can be put in another's place: how a frozen weight becomes a variable, and back. */
export interface Parameter {
  readonly slot: Slot;
  get(): tf.Tensor;
  set(tensor: tf.Tensor): void;
}

/** The parameter that is `owner[field]`. */
export function parameterOf<Field extends string>(
  slot: Slot,
  owner: { readonly [field in Field]?: tf.Tensor | undefined },
  field: Field,
): Parameter {
  const place = owner as { [field in Field]?: tf.Tensor | undefined };
  return {
    slot,
    get: () => place[field]!,
    set: (tensor) => {
      place[field] = tensor;
    },
  };
}
