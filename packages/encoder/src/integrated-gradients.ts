import * as tf from '@tensorflow/tfjs-core';
import { EncoderError } from './encoder-error.js';
import { gaussLegendre } from './gauss-legendre.js';

export interface IntegratedGradientsOptions {
  /** Where the path starts: one number for all pixels, or an image [1, H, W, C] or images [B, H, W, C]. 0 unless given. */
  readonly baseline?: number | tf.Tensor4D;
  /** Nodes of the Gauss-Legendre rule; 50 unless given, as in captum. */
  readonly steps?: number;
  /** Points of the path that pass at once; 10 unless given. */
  readonly batchSize?: number;
  /** Called after each batch with the points that passed. */
  readonly advance?: (points: number) => void;
}

export interface IntegratedGradients {
  /** [B, H, W, C], the caller's to dispose; the sum over an image is what explains `outputs - baselineOutputs`. */
  readonly attributions: tf.Tensor4D;
  /** Output of each image, and of its baseline. */
  readonly outputs: Float32Array;
  readonly baselineOutputs: Float32Array;
  /** Completeness: sum of attributions - (output - output of the baseline). More steps make it smaller. */
  readonly deltas: Float32Array;
}

/**
 * How much each pixel adds to an output, against a baseline: (x - baseline) times the mean gradient along the straight path
 * between them. Any function of pixels, an encoder's embedding through a head for example; a LoRA counts.
 *
 * @param output [B, H, W, C] -> [B], each image's from its own pixels alone
 * @param pixels [B, H, W, C]
 * @throws EncoderError INVALID_ARGUMENT for steps or batches that are not whole numbers from 1 on, a baseline of another
 * shape, an output that is not one number an image
 * @see Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365; captum `IntegratedGradients`, `gausslegendre`
 * @example
 * const logit = (pixels) => tf.reshape(tf.matMul(vit.forward(pixels).cls, weights), [-1]);
 * const { attributions, deltas } = await integratedGradients(logit, pixels);
 */
export async function integratedGradients(
  output: (pixels: tf.Tensor4D) => tf.Tensor1D,
  pixels: tf.Tensor4D,
  { baseline = 0, steps = 50, batchSize = 10, advance }: IntegratedGradientsOptions = {},
): Promise<IntegratedGradients> {
  const [count, ...image] = pixels.shape;
  for (const [name, value] of Object.entries({ steps, batchSize })) {
    if (!(Number.isInteger(value) && value >= 1))
      refuse(`${name} is ${value}: a whole number from 1 on is needed.`);
  }
  if (typeof baseline !== 'number') {
    const [rows, ...rest] = baseline.shape;
    if (rest.join() !== image.join() || (rows !== 1 && rows !== count))
      refuse(`The baseline has the shape [${baseline.shape}], the pixels [${pixels.shape}].`);
  }
  const { nodes, weights } = gaussLegendre(steps);
  const starts = tf.tidy(() =>
    typeof baseline === 'number' ? tf.fill(pixels.shape, baseline) : tf.add(tf.zerosLike(pixels), baseline),
  ) as tf.Tensor4D;
  const sums: tf.Tensor4D[] = [];
  try {
    const ends = tf.tidy(() => [pixels, starts].map((images) => checked(output(images), count).clone()));
    const [outputs, baselineOutputs] = (await read(ends)) as [Float32Array, Float32Array];
    for (let at = 0; at < count; at++) {
      sums.push(tf.zeros([1, ...image]));
      for (let from = 0; from < steps; from += batchSize) {
        const before = sums[at] as tf.Tensor4D;
        const after: tf.Tensor4D = tf.tidy(() =>
          tf.add(
            before,
            weightedGradients(output, pixels, starts, at, {
              nodes: nodes.subarray(from, from + batchSize),
              weights: weights.subarray(from, from + batchSize),
            }),
          ),
        );
        sums[at] = after;
        before.dispose();
        await after.data(); // else some backends only queue the work, and progress would be none
        advance?.(Math.min(batchSize, steps - from));
      }
    }
    const attributions = tf.tidy(() => tf.mul(tf.concat(sums), tf.sub(pixels, starts))) as tf.Tensor4D;
    const [totals] = (await read([tf.tidy(() => tf.sum(tf.reshape(attributions, [count, -1]), 1))])) as [
      Float32Array,
    ];
    const deltas = totals.map((total, i) => total - (outputs[i]! - baselineOutputs[i]!));
    return { attributions, outputs, baselineOutputs, deltas };
  } finally {
    tf.dispose([starts, ...sums]);
  }
}

async function read(tensors: tf.Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  return values.map((each) => Float32Array.from(each));
}

/** Sum over the points of weight times gradient, for one image: [1, H, W, C] */
function weightedGradients(
  output: (pixels: tf.Tensor4D) => tf.Tensor1D,
  pixels: tf.Tensor4D,
  starts: tf.Tensor4D,
  at: number,
  { nodes, weights }: { nodes: Float64Array; weights: Float64Array },
): tf.Tensor4D {
  return tf.tidy(() => {
    const column = (values: Float64Array) => tf.tensor4d(Float32Array.from(values), [values.length, 1, 1, 1]);
    const start = tf.slice(starts, [at, 0, 0, 0], [1, -1, -1, -1]);
    const path = tf.sub(tf.slice(pixels, [at, 0, 0, 0], [1, -1, -1, -1]), start);
    const points = tf.add(start, tf.mul(path, column(nodes))) as tf.Tensor4D; // [n, H, W, C]
    // Each output depends on its own point alone, so the gradient of their sum is that of each.
    const gradient = tf.grad((given) => tf.sum(checked(output(given as tf.Tensor4D), nodes.length)))(points);
    return tf.sum(tf.mul(gradient, column(weights)), 0, true) as tf.Tensor4D;
  });
}

function checked(values: tf.Tensor, count: number): tf.Tensor1D {
  if (values.rank === 1 && values.shape[0] === count) return values as tf.Tensor1D;
  return refuse(
    `The output has the shape [${values.shape}] for ${count} images; one number an image is needed.`,
  );
}

function refuse(message: string): never {
  throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
}
