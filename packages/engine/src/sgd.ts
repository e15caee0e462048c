import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './engine-error.js';

export interface SgdOptions {
  /** Default 0.01. */
  learningRate?: number;
  /** Default 0.9. */
  momentum?: number;
  /** Default true. */
  nesterov?: boolean;
  /** Added to the gradient as weightDecay x weight. Default 0. */
  weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum as `torch.optim.SGD` computes it: weight decay is part of the gradient, and
 * Nesterov's step is gradient + momentum x velocity (Sutskever et al. 2013). Its velocities can be saved and put back:
 * a restored optimiser takes bit-identical steps. tfjs's momentum optimiser has no weight decay.
 *
 * @example
 * const optimizer = new Sgd({ learningRate: 0.01, momentum: 0.99, weightDecay: 3e-5 });
 * optimizer.minimize(() => tf.losses.meanSquaredError(y, predict(x)));
 */
export class Sgd extends tf.Optimizer {
  /** tfjs's name for serialisation. */
  static get className(): string {
    return 'OncoResponseSgd';
  }

  /** May be changed between steps, by a schedule. */
  learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly #velocities = new Map<string, tf.Tensor>();

  constructor({ learningRate = 0.01, momentum = 0.9, nesterov = true, weightDecay = 0 }: SgdOptions = {}) {
    super();
    this.learningRate = learningRate;
    this.momentum = momentum;
    this.nesterov = nesterov;
    this.weightDecay = weightDecay;
  }

  /**
   * One step. Gradients are keyed by variable name, as `tf.variableGrads` returns them, and are not disposed.
   * @throws EngineError INVALID_ARGUMENT for a gradient whose variable does not exist
   */
  override applyGradients(given: Record<string, tf.Tensor> | { name: string; tensor: tf.Tensor }[]): void {
    const gradients = Array.isArray(given)
      ? given.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(given);
    for (const [name, gradient] of gradients) {
      const variable = tf.engine().registeredVariables[name];
      if (!variable) {
        throw new EngineError({ code: 'INVALID_ARGUMENT', message: `no variable is called ${name}` });
      }
      const before = this.#velocities.get(name);
      const velocity = tf.tidy(() => {
        const decayed =
          this.weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(variable, this.weightDecay));
        const moved = before ? tf.add(tf.mul(before, this.momentum), decayed) : tf.clone(decayed);
        const step = this.nesterov ? tf.add(decayed, tf.mul(moved, this.momentum)) : moved;
        variable.assign(tf.sub(variable, tf.mul(step, this.learningRate)));
        return moved;
      });
      before?.dispose();
      this.#velocities.set(name, tf.keep(velocity));
    }
  }

  /** Velocities by variable name: the state from which `restore` goes on bit for bit. */
  async state(): Promise<Record<string, Float32Array>> {
    const values: Record<string, Float32Array> = {};
    for (const [name, velocity] of this.#velocities) {
      values[name] = Float32Array.from(await velocity.data());
    }
    return values;
  }

  /** @throws EngineError STATE_MISMATCH when a saved velocity has no variable of its name and size */
  restore(state: Readonly<Record<string, Float32Array>>): void {
    this.dispose();
    for (const [name, velocity] of Object.entries(state)) {
      const variable = tf.engine().registeredVariables[name];
      if (!variable || variable.size !== velocity.length) {
        throw new EngineError({
          code: 'STATE_MISMATCH',
          message: `the saved optimiser has ${velocity.length} velocities for ${name}, the model has ${variable?.size ?? 'no such variable'}`,
        });
      }
      this.#velocities.set(name, tf.keep(tf.tensor(velocity, variable.shape)));
    }
  }

  /** tfjs's constructor arguments for serialisation. */
  getConfig(): tf.serialization.ConfigDict {
    const { learningRate, momentum, nesterov, weightDecay } = this;
    return { learningRate, momentum, nesterov, weightDecay };
  }

  /** Frees the velocities. */
  override dispose(): void {
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }
}
