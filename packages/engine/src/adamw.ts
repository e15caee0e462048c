import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './engine-error.js';

export interface AdamWOptions {
  learningRate?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  /** Variables that are trained otherwise than the rest; one in no group follows the options above. */
  groups?: readonly AdamWGroup[];
}

/** Variables with a learning rate or a weight decay of their own, as torch's `param_groups`. */
export interface AdamWGroup {
  variables: readonly tf.Variable[];
  /** Times `learningRate`, which a schedule moves for all groups alike. Default 1. */
  learningRateFactor?: number;
  /** Default: the optimiser's. */
  weightDecay?: number;
}

/** First and second moments by variable name, and the number of steps taken. */
export interface AdamWState {
  step: number;
  moments: Record<string, { first: Float32Array; second: Float32Array }>;
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as `torch.optim.AdamW` computes it. tfjs has no
 * AdamW, and its Adam does not resume exactly: here the bias corrections follow from the step count and the moments
 * are saved as they are, so a restored optimiser takes bit-identical steps.
 *
 * @example
 * const optimizer = new AdamW({ learningRate: 1e-4, weightDecay: 1e-6 });
 * optimizer.minimize(() => tf.losses.meanSquaredError(y, predict(x)));
 */
export class AdamW extends tf.Optimizer {
  /** tfjs's name for serialisation. */
  static get className(): string {
    return 'AdamW';
  }

  /** May be changed between steps, by a schedule. */
  learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #groupOf: ReadonlyMap<string, AdamWGroup>;
  #step = 0;
  #moments = new Map<string, { first: tf.Tensor; second: tf.Tensor }>();

  constructor({
    learningRate = 1e-4,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    weightDecay = 0.01,
    groups = [],
  }: AdamWOptions = {}) {
    super();
    this.learningRate = learningRate;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.#groupOf = new Map(
      groups.flatMap((group) => group.variables.map(({ name }) => [name, group] as const)),
    );
  }

  /**
   * One step. Gradients are keyed by variable name, as `tf.variableGrads` returns them, and are not disposed.
   * @throws EngineError INVALID_ARGUMENT for a gradient whose variable does not exist
   */
  override applyGradients(given: Record<string, tf.Tensor> | { name: string; tensor: tf.Tensor }[]): void {
    const gradients = Array.isArray(given)
      ? Object.fromEntries(given.map(({ name, tensor }) => [name, tensor]))
      : given;
    this.#step += 1;
    const firstCorrection = 1 - this.beta1 ** this.#step;
    const secondCorrection = Math.sqrt(1 - this.beta2 ** this.#step);
    for (const [name, gradient] of Object.entries(gradients)) {
      const variable = tf.engine().registeredVariables[name];
      if (!variable) {
        throw new EngineError({ code: 'INVALID_ARGUMENT', message: `no variable is called ${name}` });
      }
      const { learningRateFactor = 1, weightDecay = this.weightDecay } = this.#groupOf.get(name) ?? {};
      const learningRate = this.learningRate * learningRateFactor;
      const before = this.#moments.get(name);
      const [first, second] = tf.tidy(() => {
        const old = before ?? { first: tf.zerosLike(variable), second: tf.zerosLike(variable) };
        const m = tf.add(tf.mul(old.first, this.beta1), tf.mul(gradient, 1 - this.beta1));
        const v = tf.add(tf.mul(old.second, this.beta2), tf.mul(tf.square(gradient), 1 - this.beta2));
        const scale = tf.add(tf.div(tf.sqrt(v), secondCorrection), this.epsilon);
        const decayed = tf.mul(variable, 1 - learningRate * weightDecay);
        variable.assign(tf.sub(decayed, tf.mul(tf.div(m, scale), learningRate / firstCorrection)));
        return [m, v] as const;
      });
      before?.first.dispose();
      before?.second.dispose();
      this.#moments.set(name, { first: tf.keep(first), second: tf.keep(second) });
    }
  }

  /** The state from which `restore` goes on bit for bit. */
  async state(): Promise<AdamWState> {
    const moments: AdamWState['moments'] = {};
    for (const [name, { first, second }] of this.#moments) {
      moments[name] = {
        first: (await first.data()) as Float32Array,
        second: (await second.data()) as Float32Array,
      };
    }
    return { step: this.#step, moments };
  }

  /** @throws EngineError STATE_MISMATCH when a saved moment has no variable of its name and size */
  restore(state: AdamWState): void {
    this.dispose();
    this.#step = state.step;
    for (const [name, { first, second }] of Object.entries(state.moments)) {
      const variable = tf.engine().registeredVariables[name];
      if (!variable || variable.size !== first.length) {
        throw new EngineError({
          code: 'STATE_MISMATCH',
          message: `the saved optimiser has ${first.length} moments for ${name}, the model has ${variable?.size ?? 'no such variable'}`,
        });
      }
      this.#moments.set(name, {
        first: tf.keep(tf.tensor(first, variable.shape)),
        second: tf.keep(tf.tensor(second, variable.shape)),
      });
    }
  }

  /** tfjs's constructor arguments for serialisation. */
  getConfig(): { [name: string]: number } {
    const { learningRate, beta1, beta2, epsilon, weightDecay } = this;
    return { learningRate, beta1, beta2, epsilon, weightDecay };
  }

  /** Frees the moments. */
  override dispose(): void {
    for (const { first, second } of this.#moments.values()) {
      first.dispose();
      second.dispose();
    }
    this.#moments.clear();
  }
}
