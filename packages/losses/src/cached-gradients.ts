import * as tf from '@tensorflow/tfjs-core';
import { checkOption } from './labels.js';
import { LossError } from './loss-error.js';

/** What a forward pass gives for the items of one chunk: tensors whose first axis is the item. */
export type ChunkOutputs = Record<string, tf.Tensor>;

/** A source of random numbers whose state can be put back, such as the engine's RandomStream. */
export interface RestorableStream<State = unknown> {
  state(): State;
  restore(state: State): void;
}

/** Options of {@link cachedContrastiveGradients}. */
export interface CachedGradientOptions<Outputs extends ChunkOutputs> {
  /** How many chunks the batch is cut into. */
  chunks: number;
  /**
   * Embeddings (and whatever else the loss needs, such as logits) of one chunk. Called twice a chunk: first for the
   * values, then for the gradients.
   */
  forward: (chunk: number) => Outputs;
  /** The loss of the whole batch, from the outputs of all chunks one after the other. */
  loss: (outputs: Outputs) => tf.Scalar;
  /** What to differentiate with respect to. */
  variables: tf.Variable[];
  /** Streams that `forward` draws from (dropout): put back before the second pass, so that it repeats the first. */
  streams?: readonly (RestorableStream | undefined)[];
}

/**
 * The gradient of a loss that compares all items of a big batch, with the memory of a chunk: gradient caching (GradCache,
 * Gao et al. 2021, arXiv 2101.06983). Outputs of all chunks are computed without gradient, the loss is differentiated
 * with respect to these, and then chunk by chunk the outputs are computed again and these gradients are passed back
 * through them. The sum over chunks is the gradient of the big batch exactly (up to rounding), at the price of a second
 * forward pass. Accumulating the loss of each chunk is something else: its items never meet those of another chunk.
 *
 * `forward` must not depend on what else is in the chunk (no batch normalisation), and `loss` reaches variables through
 * the outputs only: what it uses besides gets no gradient.
 *
 * @returns As `tf.variableGrads`: the loss and the gradients by variable name. A variable that the loss does not reach
 * has none. The caller disposes both.
 * @throws LossError `OPTIONS`, `SHAPE`
 * @example
 * const { value, grads } = cachedContrastiveGradients({
 *   chunks: batches.length,
 *   forward: (chunk) => ({ embeddings: model.forward(batches[chunk], { training: true }) }),
 *   loss: ({ embeddings }) => supConLoss(embeddings, labels, { temperature: 0.07 }),
 *   variables: model.variables(),
 *   streams: [model.random],
 * });
 */
export function cachedContrastiveGradients<Outputs extends ChunkOutputs>({
  chunks,
  forward,
  loss,
  variables,
  streams = [],
}: CachedGradientOptions<Outputs>): { value: tf.Scalar; grads: tf.NamedTensorMap } {
  checkOption(Number.isInteger(chunks) && chunks > 0, `chunks is ${chunks}; expected a whole number from 1.`);
  checkOption(variables.length > 0, 'There are no variables to differentiate with respect to.');
  const sources = streams.filter((stream) => stream !== undefined);
  const states: unknown[][] = [];
  // Pass 1: values only. A tidy a chunk frees everything but the outputs.
  const cached = Array.from({ length: chunks }, (_, chunk) => {
    states.push(sources.map((stream) => stream.state()));
    return tf.tidy(() => cloneAll(forward(chunk)));
  });
  try {
    const names = Object.keys(cached[0]!);
    for (const outputs of cached) checkOutputs(outputs, names);
    const { value, cotangents } = differentiateLoss(cached, names, loss);
    try {
      let grads: tf.NamedTensorMap = {};
      for (let chunk = 0; chunk < chunks; chunk++) {
        sources.forEach((stream, index) => {
          stream.restore(states[chunk]![index]);
        });
        grads = accumulate(grads, () => passBack(forward, chunk, cotangents[chunk]!, variables));
      }
      return { value, grads };
    } finally {
      tf.dispose(cotangents);
    }
  } finally {
    tf.dispose(cached);
  }
}

/** The loss of all chunks together, and its gradient with respect to each output of each chunk. */
function differentiateLoss<Outputs extends ChunkOutputs>(
  cached: readonly Outputs[],
  names: readonly string[],
  loss: (outputs: Outputs) => tf.Scalar,
): { value: tf.Scalar; cotangents: ChunkOutputs[] } {
  return tf.tidy(() => {
    const whole = names.map((name) =>
      tf.concat(
        cached.map((outputs) => outputs[name]!),
        0,
      ),
    );
    const { value, grads } = tf.valueAndGrads((...outputs: tf.Tensor[]) => {
      const named = Object.fromEntries(names.map((name, index) => [name, outputs[index]]));
      // A loss need not use every output (a term of weight 0 may be left out); tfjs raises for an input without a path.
      const reached = tf.addN(outputs.map((output) => tf.sum(tf.mul(output, 0))));
      return tf.add(loss(named as Outputs), reached) as tf.Scalar;
    })(whole);
    const sizes = cached.map((outputs) => outputs[names[0]!]!.shape[0]!);
    const parts = grads.map((gradient) => tf.split(gradient, sizes, 0));
    const cotangents = sizes.map((_, chunk) =>
      Object.fromEntries(names.map((name, index) => [name, parts[index]![chunk]!])),
    );
    return { value: value as tf.Scalar, cotangents };
  });
}

/** Gradients of `<outputs, cotangents>` of one chunk: the chunk's part of the loss's gradient. */
function passBack(
  forward: (chunk: number) => ChunkOutputs,
  chunk: number,
  cotangents: ChunkOutputs,
  variables: tf.Variable[],
): tf.NamedTensorMap {
  const { value, grads } = tf.variableGrads(() => {
    const outputs = forward(chunk);
    const products = Object.entries(cotangents).map(([name, cotangent]) =>
      tf.sum(tf.mul(outputs[name]!, cotangent)),
    );
    return tf.addN(products) as tf.Scalar;
  }, variables);
  value.dispose();
  return grads;
}

function accumulate(sums: tf.NamedTensorMap, next: () => tf.NamedTensorMap): tf.NamedTensorMap {
  const grads = next();
  const names = new Set([...Object.keys(sums), ...Object.keys(grads)]);
  const added = [...names].map((name) => {
    const [sum, gradient] = [sums[name], grads[name]];
    if (!sum || !gradient) return [name, (sum ?? gradient)!] as const;
    const total = tf.add(sum, gradient);
    tf.dispose([sum, gradient]);
    return [name, total] as const;
  });
  return Object.fromEntries(added);
}

/** Copies, so that what `forward` itself keeps elsewhere is not disposed with the cache. */
function cloneAll<Outputs extends ChunkOutputs>(outputs: Outputs): Outputs {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, tf.clone(tensor)]),
  ) as Outputs;
}

function checkOutputs(outputs: ChunkOutputs, names: readonly string[]): void {
  const items = new Set(Object.values(outputs).map((tensor) => tensor.shape[0]));
  if (names.length > 0 && Object.keys(outputs).join() === names.join() && items.size === 1) return;
  throw new LossError({
    code: 'SHAPE',
    message:
      `A chunk gave ${Object.entries(outputs).map(([name, { shape }]) => `${name} [${shape}]`)}; expected ` +
      `${names.join(', ') || 'at least one tensor'}, each with the chunk's items along its first axis.`,
  });
}
