import { affine, type RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';
import { type Lora, loraDelta } from './lora.js';

/** A fully connected layer. `weight` is kept [out, in], as torch stores it. */
export interface Linear {
  /** Its name in the hub's checkpoints, e.g. `encoder.layer.11.attention.attention.query`. */
  readonly name: string;
  weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D | undefined;
  lora?: Lora;
}

/** What a forward pass needs beside weights. `dropout` is there while training only. */
export interface ForwardOptions {
  /** Draws the masks of LoRA's dropout. Leave it out when not training: nothing is dropped then. */
  dropout?: RandomStream;
}

/** Also, what the blocks tell their layers. */
export interface LayerOptions extends ForwardOptions {
  /** Nothing before this layer is trained, so it need not find the derivative of its input. */
  constantInput?: boolean;
}

/** y = x W^T + b, plus LoRA's (alpha / r) dropout(x) A^T B^T where one is attached and not merged. */
export function linear(x: tf.Tensor2D, layer: Linear, options: LayerOptions): tf.Tensor2D {
  const lora = layer.lora?.weightBeforeMerge ? undefined : layer.lora;
  const drops = lora && lora.dropout > 0 && options.dropout !== undefined;
  if (lora && !drops && !isTrained(layer)) return adaptedLinear(x, layer, lora, options);
  const output = isTrained(layer) ? plainLinear(x, layer) : frozenLinear(x, layer);
  return lora ? tf.add(output, loraDelta(x, lora, options)) : output; // [rows, out]
}

/** Whether the layer's own weight or bias is a variable (`modules_to_save`, `bias`). */
const isTrained = ({ weight, bias }: Linear) => weight instanceof tf.Variable || bias instanceof tf.Variable;

/** Every operation differentiated by tfjs. */
function plainLinear(x: tf.Tensor2D, { weight, bias }: Linear): tf.Tensor2D {
  const product = tf.matMul(x, weight, false, true) as tf.Tensor2D; // [rows, in] x [out, in]^T -> [rows, out]
  return bias ? tf.add(product, bias) : product;
}

/** The layer as it is; its weight and bias are constants, so the derivative needs nothing of the forward pass. */
function frozenLinear(x: tf.Tensor2D, { weight, bias }: Linear): tf.Tensor2D {
  const operation = tf.customGrad((...inputs) => ({
    value: affine(inputs[0] as tf.Tensor2D, weight, bias),
    gradFunc: (dy: tf.Tensor) => consuming(dy, () => tf.matMul(dy as tf.Tensor2D, weight)), // [rows, in]
  }));
  return operation(x) as tf.Tensor2D;
}

/** W + scaling B A, differentiated by tfjs: [out, in] */
export function adaptedWeight({ weight, lora }: Linear): tf.Tensor2D {
  if (!lora || lora.weightBeforeMerge) return weight;
  return tf.add(weight, tf.matMul(tf.mul(lora.b, lora.scaling) as tf.Tensor2D, lora.a));
}

/**
 * The layer with its LoRA added into the weight first, which takes a product of [out, r] by [r, in] in place of four
 * passes over all rows. A and B get their derivatives as if x A^T B^T had been computed.
 */
function adaptedLinear(
  x: tf.Tensor2D,
  layer: Linear,
  { a, b, scaling }: Lora,
  { constantInput = false }: LayerOptions,
): tf.Tensor2D {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs.at(-1) as unknown as tf.GradSaveFunc;
    const weight = tf.tidy(() => adaptedWeight(layer));
    save(constantInput ? [x] : [x, weight]);
    const gradFunc = (dy: tf.Tensor, [x, weight]: tf.Tensor[]) =>
      consuming(dy, () => {
        const [rows, out] = [x as tf.Tensor2D, dy as tf.Tensor2D];
        const down = tf.mul(tf.matMul(rows, a, false, true), scaling) as tf.Tensor2D; // [rows, r]
        const up = tf.mul(tf.matMul(out, b), scaling) as tf.Tensor2D; // [rows, r]
        const ofLora = [tf.matMul(up, rows, true, false), tf.matMul(out, down, true, false)]; // [r, in], [out, r]
        return constantInput ? ofLora : [...ofLora, tf.matMul(out, weight as tf.Tensor2D)]; // [rows, in]
      });
    return { value: affine(x, weight, layer.bias), gradFunc };
  });
  return operation(...(constantInput ? [a, b] : [a, b, x])) as tf.Tensor2D;
}
