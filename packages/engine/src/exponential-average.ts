import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from './engine-error.js';

/** The averages by the names given, and how many updates made them. */
export interface ExponentialAverageState {
  updates: number;
  averages: Record<string, Float32Array>;
}

/**
 * Exponential moving average of variables: `average <- d average + (1 - d) variable` after each step, with
 * `d = min(decay, (1 + n) / (10 + n))` at the nth update, so that a short training does not stay at its start
 * (`tf.train.ExponentialMovingAverage` with `num_updates`; timm's `ModelEmaV3` with warm-up is alike). It starts as a
 * copy of the variables.
 *
 * @example
 * const average = new ExponentialAverage({ weight }, { decay: 0.999 });
 * average.update(); // after each step
 * await average.apply(() => evaluate()); // evaluates with the averages in place of the variables
 */
export class ExponentialAverage {
  readonly decay: number;
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #averages: Map<string, tf.Tensor>;
  #updates = 0;

  /**
   * @param variables by names that are the same in every process
   * @throws EngineError INVALID_ARGUMENT for a decay outside [0, 1)
   */
  constructor(variables: Readonly<Record<string, tf.Variable>>, { decay }: { decay: number }) {
    if (!(decay >= 0 && decay < 1)) {
      throw new EngineError({ code: 'INVALID_ARGUMENT', message: `decay is ${decay}; [0, 1) is needed` });
    }
    this.decay = decay;
    this.#variables = variables;
    this.#averages = new Map(
      Object.entries(variables).map(([name, variable]) => [name, tf.keep(tf.clone(variable))]),
    );
  }

  update(): void {
    this.#updates += 1;
    const decay = Math.min(this.decay, (1 + this.#updates) / (10 + this.#updates));
    for (const [name, variable] of Object.entries(this.#variables)) {
      const before = this.#averages.get(name) as tf.Tensor;
      const after = tf.tidy(() => tf.add(tf.mul(before, decay), tf.mul(variable, 1 - decay)));
      before.dispose();
      this.#averages.set(name, tf.keep(after));
    }
  }

  /** Runs `work` with the averages in place of the variables' values, then puts these back, also where it throws. */
  async apply<T>(work: () => Promise<T>): Promise<T> {
    const values = Object.values(this.#variables).map((variable) => [variable, tf.clone(variable)] as const);
    for (const [, value] of values) tf.keep(value);
    for (const [name, variable] of Object.entries(this.#variables)) {
      variable.assign(this.#averages.get(name) as tf.Tensor);
    }
    try {
      return await work();
    } finally {
      for (const [variable, value] of values) {
        variable.assign(value);
        value.dispose();
      }
    }
  }

  /** The state from which `restore` goes on bit for bit. */
  async state(): Promise<ExponentialAverageState> {
    const averages: ExponentialAverageState['averages'] = {};
    for (const [name, average] of this.#averages) {
      averages[name] = Float32Array.from(await average.data());
    }
    return { updates: this.#updates, averages };
  }

  /** @throws EngineError STATE_MISMATCH where a variable's average is missing or of another size */
  restore({ updates, averages }: ExponentialAverageState): void {
    for (const [name, variable] of Object.entries(this.#variables)) {
      const saved = averages[name];
      if (saved?.length !== variable.size) {
        throw new EngineError({
          code: 'STATE_MISMATCH',
          message: `the saved averages have ${saved?.length ?? 'nothing'} for ${name}, the model has ${variable.size}`,
        });
      }
      this.#averages.get(name)?.dispose();
      this.#averages.set(name, tf.keep(tf.tensor(saved, variable.shape)));
    }
    this.#updates = updates;
  }

  /** Frees the averages. */
  dispose(): void {
    tf.dispose([...this.#averages.values()]);
    this.#averages.clear();
  }
}
