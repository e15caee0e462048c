import { affine, type RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { consuming } from './consuming.js';
import { type Lora, loraDelta, loraDown } from './lora.js';

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
  const lora = attachedLora(layer);
  if (isTrained(layer)) {
    const output = plainLinear(x, layer);
    return lora ? tf.add(output, loraDelta(x, lora, options)) : output; // [rows, out]
  }
  if (!lora) return frozenLinear(x, layer);
  return drops(layer, options)
    ? droppingLinear(x, layer, lora, options)
    : adaptedLinear(x, layer, lora, options);
}

/** A layer's LoRA, while it is not merged into the weight. */
export const attachedLora = ({ lora }: Linear) => (lora?.weightBeforeMerge ? undefined : lora);

/** Whether a layer's LoRA sees only a part of its input. */
export function drops(layer: Linear, { dropout }: ForwardOptions): boolean {
  return dropout !== undefined && (attachedLora(layer)?.dropout ?? 0) > 0;
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

/** The layer beside a LoRA of which a part of the input was dropped, so that the two cannot be one product. */
function droppingLinear(x: tf.Tensor2D, layer: Linear, lora: Lora, options: LayerOptions): tf.Tensor2D {
  const { b, scaling } = lora;
  const { constantInput = false } = options;
  const operation = tf.customGrad((...inputs) => {
    const [low, b, ...rest] = inputs as unknown as [tf.Tensor2D, tf.Tensor2D, ...unknown[]];
    (rest.at(-1) as tf.GradSaveFunc)([low]);
    const value = tf.tidy(() =>
      tf.add(affine(x, layer.weight, layer.bias), tf.matMul(low, tf.mul(b, scaling), false, true)),
    );
    const gradFunc = (dy: tf.Tensor, [low]: tf.Tensor[]) =>
      consuming(dy, () => {
        const out = dy as tf.Tensor2D; // [rows, out]
        const ofLow = tf.matMul(out, tf.mul(b, scaling)); // [rows, r]
        const ofB = tf.mul(tf.matMul(out, low as tf.Tensor2D, true, false), scaling); // [out, r]
        return constantInput ? [ofLow, ofB] : [ofLow, ofB, tf.matMul(out, layer.weight)]; // [rows, in]
      });
    return { value, gradFunc };
  });
  const low = loraDown(x, lora, options);
  return operation(...(constantInput ? [low, b] : [low, b, x])) as tf.Tensor2D;
}
