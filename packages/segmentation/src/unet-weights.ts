import { RandomStream } from '@onco-response/engine';
import { toFloat32, type WeightTensor } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { initialWeight } from './initial-weights.js';
import { SegmentationError } from './segmentation-error.js';
import type { Triple } from './unet-architecture.js';

/** What a torch state dict calls a tensor, and the variable it became. */
interface Loaded {
  readonly variable: tf.Variable;
  /** Where each axis of torch's tensor went; undefined where it stays as it is. */
  readonly axes: readonly number[] | undefined;
  readonly shape: readonly number[];
}

/** [out, in, d, h, w] -> [d, h, w, in, out] */
const FILTER_AXES = [2, 3, 4, 1, 0];

export interface ConvolutionWeights {
  readonly filter: tf.Variable;
  readonly bias: tf.Variable | undefined;
}

/**
 * Reads a network's variables from a torch state dict, each by its name and shape, and says at the end what is missing or
 * too much. Filters are turned once, here, into the order of axes that the engine's convolutions take.
 *
 * The state dict of a U-Net holds every tensor of a block twice (`conv` and `norm`, and their numbered copies under
 * `all_modules`), and the encoder a second time under `decoder.encoder`: copies are left out.
 */
export class UNetWeights {
  readonly #state: Map<string, WeightTensor>;
  readonly #random: RandomStream | undefined;
  readonly #loaded = new Map<string, Loaded>();
  readonly #problems: string[] = [];

  /** @param source a state dict, or what an untrained network is drawn from */
  constructor(
    source: ReadonlyMap<string, WeightTensor> | RandomStream,
    readonly dimensions: 2 | 3,
  ) {
    this.#random = source instanceof RandomStream ? source : undefined;
    this.#state = new Map(
      [...(source instanceof RandomStream ? [] : source)]
        .map(([name, tensor]): [string, WeightTensor] => [name.replace(/^module\./, ''), tensor])
        .filter(([name]) => !name.includes('.all_modules.') && !name.startsWith('decoder.encoder.')),
    );
  }

  convolution(
    name: string,
    inputs: number,
    outputs: number,
    kernel: Triple,
    bias: boolean,
  ): ConvolutionWeights {
    const filter = this.#read(`${name}.weight`, [outputs, inputs, ...this.#sizes(kernel)], FILTER_AXES);
    return { filter, bias: bias ? this.#read(`${name}.bias`, [outputs]) : undefined };
  }

  /** torch keeps the inputs of a transposed convolution first, which makes [d, h, w, out, in] of the same axes. */
  transposedConvolution(
    name: string,
    inputs: number,
    outputs: number,
    kernel: Triple,
    bias: boolean,
  ): ConvolutionWeights {
    const filter = this.#read(`${name}.weight`, [inputs, outputs, ...this.#sizes(kernel)], FILTER_AXES);
    return { filter, bias: bias ? this.#read(`${name}.bias`, [outputs]) : undefined };
  }

  norm(name: string, features: number): { scale: tf.Variable; shift: tf.Variable } {
    return {
      scale: this.#read(`${name}.weight`, [features]),
      shift: this.#read(`${name}.bias`, [features]),
    };
  }

  codebook(name: string, size: number, features: number): tf.Variable {
    return this.#read(`${name}.weight`, [size, features]);
  }

  /** @throws SegmentationError WEIGHTS_MISMATCH, after freeing what was read */
  finish(): void {
    for (const name of this.#state.keys())
      if (!this.#loaded.has(name)) this.#problems.push(`${name} is too much`);
    if (this.#problems.length === 0) return;
    this.dispose();
    const [shown, more] = [this.#problems.slice(0, 5), this.#problems.length - 5];
    throw new SegmentationError({
      code: 'WEIGHTS_MISMATCH',
      message: `the weights are not those of the network in plans.json: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
    });
  }

  /** The name of a variable's tensor in the state dict. */
  nameOf(variable: tf.Variable): string {
    for (const [name, loaded] of this.#loaded) if (loaded.variable === variable) return name;
    throw new Error(`${variable.name} is no variable of this network`); // only its own layers ask
  }

  /** The variables as a torch state dict, without the copies. */
  state(): Map<string, WeightTensor> {
    const state = new Map<string, WeightTensor>();
    for (const [name, { variable, axes, shape }] of this.#loaded) {
      const data = tf.tidy(
        () => (axes ? tf.transpose(variable, inverse(axes)) : variable).dataSync() as Float32Array,
      );
      state.set(name, { dtype: 'F32', shape, data });
    }
    return state;
  }

  dispose(): void {
    for (const { variable } of this.#loaded.values()) variable.dispose();
    this.#loaded.clear();
  }

  #sizes(kernel: Triple): number[] {
    return kernel.slice(3 - this.dimensions);
  }

  #read(name: string, shape: readonly number[], axes?: readonly number[]): tf.Variable {
    const found: WeightTensor | undefined = this.#random
      ? { dtype: 'F32', shape, data: initialWeight(name, shape, this.#random) }
      : this.#state.get(name);
    const fits = found && String(found.shape) === String(shape);
    if (!found) this.#problems.push(`${name} is missing`);
    else if (!fits) this.#problems.push(`${name} has the shape [${found.shape}] instead of [${shape}]`);
    const variable = tf.tidy(() => {
      const flat = fits ? toFloat32(found) : new Float32Array(1);
      if (!fits) return tf.variable(tf.tensor1d(flat)); // finish() will not let it be used
      const full = axes && shape.length === 4 ? [shape[0]!, shape[1]!, 1, shape[2]!, shape[3]!] : [...shape];
      const tensor = tf.tensor(flat, full);
      return tf.variable(axes ? tf.transpose(tensor, [...axes]) : tensor);
    });
    this.#loaded.set(name, { variable, axes, shape });
    return variable;
  }
}

function inverse(axes: readonly number[]): number[] {
  return axes.map((_, axis) => axes.indexOf(axis));
}
