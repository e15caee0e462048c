import {
  attentionRollout,
  integratedGradients,
  type RandomisedPart,
  randomisedBlocks,
  randomisedWeightsCheck,
  randomiseVariables,
} from '@onco-response/encoder';
import { RandomStream } from '@onco-response/engine';
import type { LesionSlices } from '@onco-response/lesion-mask';
import { MetricsError, spearman } from '@onco-response/metrics';
import type { ClinicalValues, ResponseModel } from '@onco-response/response-model';
import * as tf from '@tensorflow/tfjs-core';

/** Points of the path that pass at once. */
const BATCH = 5;

/** One case as its model sees it. */
export interface ExplainedCase {
  model: ResponseModel;
  slices: LesionSlices;
  /** [S, E] embeddings of the slices. */
  embeddings: Float32Array;
  clinical: ClinicalValues | undefined;
}

export interface GradientMap {
  /** [H, W]: what each pixel adds to the logit, channels summed. */
  values: Float32Array;
  /** Logit of the case less its logit with this slice blank; the values sum to it, but for `delta`. */
  total: number;
  delta: number;
}

/**
 * Integrated gradients of a case's logit with respect to the pixels of one slice, the other slices as they are. The path starts
 * at a blank slice, the window's minimum everywhere.
 */
export async function gradientMap(
  { model, slices, embeddings, clinical }: ExplainedCase,
  slice: number,
  { steps = 50, advance }: { steps?: number; advance?: (points: number) => void } = {},
): Promise<GradientMap> {
  const { imageSize, count, pixels } = slices;
  const { vit, frozenBlocks } = model;
  const width = vit.config.hidden_size;
  const area = imageSize * imageSize * 3;
  const logits = (images: tf.Tensor4D): tf.Tensor1D => {
    const own = vit.classToken(vit.prefix(images, frozenBlocks), frozenBlocks); // [n, E]
    const n = images.shape[0];
    const others = (from: number, to: number) =>
      tf.tile(tf.tensor3d(embeddings.slice(from * width, to * width), [1, to - from, width]), [n, 1, 1]);
    const bags = tf.concat(
      [others(0, slice), tf.expandDims(own, 1), others(slice + 1, count)].filter(({ size }) => size > 0),
      1,
    ); // [n, S, E]
    return model.forwardEmbeddings(
      tf.reshape(bags, [n * count, width]),
      Array(n).fill(count),
      clinical ? { clinical: Array(n).fill(clinical) } : {},
    ).logits;
  };
  const { mean, std } = vit.preprocessing;
  const [image, blank] = tf.tidy(() => [
    tf.tensor4d(pixels.subarray(slice * area, (slice + 1) * area), [1, imageSize, imageSize, 3]),
    tf.tile(
      tf.tensor4d(
        mean.map((value, c) => -value / std[c]!),
        [1, 1, 1, 3],
      ),
      [1, imageSize, imageSize, 1],
    ),
  ]) as [tf.Tensor4D, tf.Tensor4D];
  try {
    const found = await integratedGradients(logits, image, {
      baseline: blank,
      steps,
      batchSize: BATCH,
      ...(advance && { advance }),
    });
    const summed = tf.tidy(() => tf.sum(found.attributions, [0, 3])); // [H, W]
    const values = Float32Array.from(await summed.data());
    tf.dispose([found.attributions, summed]);
    return { values, total: found.outputs[0]! - found.baselineOutputs[0]!, delta: found.deltas[0]! };
  } finally {
    tf.dispose([image, blank]);
  }
}

/** Attention rollout of one slice, each patch spread over its pixels: [H, W], in shares of all patches. */
export async function rolloutMap({ model, slices }: ExplainedCase, slice: number): Promise<Float32Array> {
  const { imageSize, pixels } = slices;
  const area = imageSize * imageSize * 3;
  const patch = model.vit.config.patch_size;
  const map = tf.tidy(() => {
    const image = tf.tensor4d(pixels.subarray(slice * area, (slice + 1) * area), [
      1,
      imageSize,
      imageSize,
      3,
    ]);
    return attentionRollout(model.vit, image);
  });
  const values = (await map.data()) as Float32Array;
  map.dispose();
  const side = imageSize / patch;
  const total = values.reduce((sum, value) => sum + value, 0);
  return Float32Array.from({ length: imageSize * imageSize }, (_, at) => {
    const [row, column] = [Math.floor(at / imageSize / patch), Math.floor((at % imageSize) / patch)];
    return values[row * side + column]! / total / patch ** 2;
  });
}

export interface SanityRow {
  method: string;
  randomised: string;
  correlation: number;
}

/**
 * How much the maps of one slice stay the same when the model's weights are made random from the head to the first block
 * (rank correlation with the trained model's maps; the paper reports gradients with and without their signs). Pixels that are as
 * in the blank slice, such as all around the lesion with maskedCt, are left out: their gradients are 0 whatever the model knows.
 *
 * @param steps fewer than for the maps that are shown: the ranks need no exact integral
 */
export async function sanityCheck(
  explained: ExplainedCase,
  slice: number,
  { seed, steps = 16, advance }: { seed: number; steps?: number; advance?: (points: number) => void },
): Promise<SanityRow[]> {
  const { model } = explained;
  const depth = model.vit.config.num_hidden_layers;
  const blocks = randomisedBlocks(model.vit, {
    seed,
    firsts: [...new Set([depth - 1, Math.floor(depth / 2), 0])].filter((first) => first < depth),
  });
  const unsigned: SanityRow[] = [];
  const stages = sanityParts(model, seed).concat(blocks);
  const gradients = await randomisedWeightsCheck(
    async () => (await gradientMap(explained, slice, { steps, ...(advance && { advance }) })).values,
    stages,
    (trained, randomised) => {
      const seen = Array.from(trained, (value, at) => (value === 0 ? -1 : at)).filter((at) => at >= 0);
      const [signed, other] = [trained, randomised].map((map) => seen.map((at) => map[at] as number)) as [
        number[],
        number[],
      ];
      unsigned.push({
        method: 'integrated gradients, without sign',
        randomised: `${stages[unsigned.length]?.name}`,
        correlation: correlation(signed.map(Math.abs), other.map(Math.abs)),
      });
      return correlation(signed, other);
    },
  );
  const rollouts = await randomisedWeightsCheck(() => rolloutMap(explained, slice), blocks, correlation);
  const rows = (method: string, found: typeof rollouts): SanityRow[] =>
    found.map(({ name, similarity }) => ({ method, randomised: name, correlation: similarity }));
  return [
    ...rows('integrated gradients, with sign', gradients),
    ...unsigned,
    ...rows('attention rollout', rollouts),
  ];
}

export const sanityMaps = (model: ResponseModel) =>
  sanityParts(model, 0).length + 1 + Math.min(3, model.vit.config.num_hidden_layers);

/** Head, then pooling over slices, where they have weights. */
function sanityParts(model: ResponseModel, seed: number): RandomisedPart[] {
  const variables = Object.entries(model.namedVariables());
  return ['head', 'aggregation'].flatMap((name): RandomisedPart[] => {
    const own = variables.filter(([key]) => key.startsWith(`${name}.`)).map(([, variable]) => variable);
    if (own.length === 0) return [];
    return [{ name, randomise: () => randomiseVariables(own, new RandomStream(seed, `random ${name}`)) }];
  });
}

/** Spearman's rho; 0 where a random model's map is the same everywhere, which is nothing like the trained one's. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  try {
    return spearman(a, b).rho;
  } catch (error) {
    if (MetricsError.isInstance(error) && error.code === 'NO_VARIANCE') return 0;
    throw error;
  }
}
