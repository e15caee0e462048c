import type { RandomStream } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { AggregationError } from './aggregation-error.js';

/** Initial values by variable name: a tensor (copied), nested arrays, or flat numbers in row-major order. */
export type InitialWeights = Readonly<Record<string, tf.TensorLike | tf.Tensor>>;

/** How a variable starts: torch's `nn.Linear` bound U(-1/sqrt(fanIn), 1/sqrt(fanIn)), or a constant. */
type Initialiser = { fanIn: number } | { constant: number };

/** Shape and initialiser of each variable, in the order in which random numbers are drawn. */
export type ParameterPlan = Readonly<Record<string, readonly [shape: readonly number[], start: Initialiser]>>;

/** A torch-layout linear layer: `<name>.weight` [out, in] and, unless `bias` is false, `<name>.bias` [out]. */
export function linearPlan(name: string, input: number, output: number, bias = true): ParameterPlan {
  const weight = { [`${name}.weight`]: [[output, input], { fanIn: input }] } as const;
  return bias ? { ...weight, [`${name}.bias`]: [[output], { fanIn: input }] } : weight;
}

/**
 * Makes the variables of a plan. All of them are drawn from `random` even where `weights` gives a value, so that
 * setting one variable leaves the others as they were.
 */
export function makeVariables<P extends ParameterPlan>(
  plan: P,
  random: RandomStream,
  weights: InitialWeights = {},
): Record<keyof P & string, tf.Variable> {
  const unknown = Object.keys(weights).filter((name) => !(name in plan));
  if (unknown.length > 0) {
    throw new AggregationError({
      code: 'WEIGHTS',
      message: `Unknown weights ${unknown.join(', ')}; this aggregation has ${Object.keys(plan).join(', ')}.`,
    });
  }
  const values = Object.entries(plan).map(([name, [shape, start]]) => {
    const drawn = draw(shape, start, random);
    const given = weights[name];
    return [name, shape, given === undefined ? drawn : read(name, shape, given)] as const;
  });
  const variables = values.map(([name, shape, data]) => {
    const initial = tf.tensor(data, [...shape], 'float32');
    const variable = tf.variable(initial, true);
    initial.dispose();
    return [name, variable];
  });
  return Object.fromEntries(variables);
}

function draw(shape: readonly number[], start: Initialiser, random: RandomStream): Float32Array {
  const length = shape.reduce((product, side) => product * side, 1);
  if ('constant' in start) return new Float32Array(length).fill(start.constant);
  const bound = 1 / Math.sqrt(start.fanIn);
  return Float32Array.from({ length }, () => (2 * random.uniform() - 1) * bound);
}

function read(name: string, shape: readonly number[], given: tf.TensorLike | tf.Tensor): Float32Array {
  const length = shape.reduce((product, side) => product * side, 1);
  const data =
    given instanceof tf.Tensor
      ? Float32Array.from(given.dataSync())
      : Float32Array.from((Array.isArray(given) ? given.flat(2) : given) as ArrayLike<number>);
  const found = given instanceof tf.Tensor ? given.shape : undefined;
  if (data.length !== length || (found && found.join() !== shape.join())) {
    throw new AggregationError({
      code: 'WEIGHTS',
      message: `Weight ${name} has ${found ? `shape [${found}]` : `${data.length} values`}; expected [${shape}].`,
    });
  }
  return data;
}

/** rows [B, S, in] through a torch-layout linear layer to [B, S, out]. */
export function linear(rows: tf.Tensor3D, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor3D {
  const [batch, count, size] = rows.shape;
  const flat = tf.reshape(rows, [batch * count, size]); // [B*S, in]
  const product = tf.matMul(flat, weight as tf.Tensor2D, false, true); // [B*S, out]
  const shifted = bias ? tf.add(product, bias) : product;
  return tf.reshape(shifted, [batch, count, weight.shape[0]!]);
}

/** LayerNorm over the last axis with torch's eps 1e-5. */
export function layerNorm(rows: tf.Tensor3D, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor3D {
  const centred = tf.sub(rows, tf.mean(rows, -1, true)); // [B, S, E]
  const variance = tf.mean(tf.square(centred), -1, true); // [B, S, 1], biased as in torch
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), weight), bias);
}

/** Inverted dropout: keeps each entry with probability 1 - rate and scales it by 1 / (1 - rate). */
export function dropout<T extends tf.Tensor>(values: T, rate: number, random: RandomStream): T {
  if (rate === 0) return values;
  const kept = Float32Array.from({ length: values.size }, () =>
    random.uniform() < rate ? 0 : 1 / (1 - rate),
  );
  return tf.mul(values, tf.tensor(kept, values.shape));
}

/** Raises unless the sizes are positive integers and the dropout rate is in [0, 1). */
export function checkOptions(sizes: Record<string, number>, rate = 0): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size > 0) continue;
    throw new AggregationError({
      code: 'OPTIONS',
      message: `${name} is ${size}; expected a positive integer.`,
    });
  }
  if (rate >= 0 && rate < 1) return;
  throw new AggregationError({
    code: 'OPTIONS',
    message: `dropout is ${rate}; expected a number in [0, 1).`,
  });
}
