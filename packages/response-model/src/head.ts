import type { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';

const EPSILON = 1e-6;

interface HeadOptions {
  inputSize: number;
  hiddenSizes: readonly number[];
  projectionSize: number;
  dropout: number;
  random: RandomStream;
}

/**
 * Classifier LayerNorm - (Linear - ReLU - dropout)* - Linear(1), and beside it the linear projection whose
 * L2-normalised output the contrastive losses compare. LayerNorm instead of the group's BatchNorm: a batch of a few
 * patients has no statistics worth normalising by.
 */
export class ResponseHead {
  readonly #dropout: number;
  readonly #random: RandomStream;
  readonly #scale: tf.Variable<tf.Rank.R1>;
  readonly #shift: tf.Variable<tf.Rank.R1>;
  readonly #layers: Linear[];
  readonly #projection: Linear;

  constructor({ inputSize, hiddenSizes, projectionSize, dropout, random }: HeadOptions) {
    this.#dropout = dropout;
    this.#random = random.fork('dropout');
    const initial = random.fork('weights');
    this.#scale = variable(tf.ones([inputSize]));
    this.#shift = variable(tf.zeros([inputSize]));
    const sizes = [inputSize, ...hiddenSizes, 1];
    this.#layers = sizes.slice(1).map((size, i) => new Linear(sizes[i] as number, size, initial));
    this.#projection = new Linear(inputSize, projectionSize, initial);
  }

  /** Where dropout draws from; its state belongs in a checkpoint. */
  get random(): RandomStream {
    return this.#random;
  }

  /** [B, D] -> logits [B] and L2-normalised projections [B, P]. */
  forward(embedding: tf.Tensor2D, training: boolean): { logits: tf.Tensor1D; projection: tf.Tensor2D } {
    return tf.tidy(() => {
      const { mean, variance } = tf.moments(embedding, -1, true);
      const normalised = tf.mul(tf.sub(embedding, mean), tf.rsqrt(tf.add(variance, EPSILON)));
      let hidden = tf.add(tf.mul(normalised, this.#scale), this.#shift) as tf.Tensor2D; // [B, D]
      this.#layers.forEach((layer, i) => {
        hidden = layer.forward(hidden); // [B, next]
        if (i < this.#layers.length - 1) hidden = this.#drop(tf.relu(hidden), training);
      });
      const projected = this.#projection.forward(embedding); // [B, P]
      const norm = tf.sqrt(tf.add(tf.sum(tf.square(projected), -1, true), 1e-12));
      return {
        logits: tf.reshape(hidden, [-1]) as tf.Tensor1D,
        projection: tf.div(projected, norm) as tf.Tensor2D,
      };
    });
  }

  namedVariables(): Record<string, tf.Variable> {
    return {
      'norm.weight': this.#scale,
      'norm.bias': this.#shift,
      ...Object.assign({}, ...this.#layers.map((layer, i) => layer.namedVariables(`layers.${i}`))),
      ...this.#projection.namedVariables('projection'),
    };
  }

  dispose(): void {
    for (const each of Object.values(this.namedVariables())) each.dispose();
  }

  #drop(hidden: tf.Tensor2D, training: boolean): tf.Tensor2D {
    if (!training || this.#dropout === 0) return hidden;
    const keep = Float32Array.from({ length: hidden.size }, () =>
      this.#random.uniform() < this.#dropout ? 0 : 1 / (1 - this.#dropout),
    );
    return tf.mul(hidden, tf.tensor(keep, hidden.shape));
  }
}

/** y = x W^T + b with torch's layout [out, in] and its initial values, U(-1/sqrt(in), 1/sqrt(in)). */
class Linear {
  readonly weight: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;

  constructor(inputSize: number, outputSize: number, random: RandomStream) {
    const bound = 1 / Math.sqrt(inputSize);
    const draw = (size: number) =>
      Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * bound);
    this.weight = variable(tf.tensor2d(draw(outputSize * inputSize), [outputSize, inputSize]));
    this.bias = variable(tf.tensor1d(draw(outputSize)));
  }

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return tf.add(tf.matMul(x, this.weight, false, true), this.bias) as tf.Tensor2D;
  }

  namedVariables(prefix: string): Record<string, tf.Variable> {
    return { [`${prefix}.weight`]: this.weight, [`${prefix}.bias`]: this.bias };
  }
}

function variable<R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> {
  const created = tf.variable(initial);
  initial.dispose();
  return created;
}
