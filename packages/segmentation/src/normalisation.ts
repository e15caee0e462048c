import type { IntensityProperties } from './plans.js';
import { SegmentationError } from './segmentation-error.js';

/** Below it a standard deviation or range counts as this: nnU-Net's eps for float32. */
const EPSILON = 1e-8;

type Normalise = (image: Float32Array, inside: Uint8Array | undefined, channel: ChannelIntensities) => void;

interface ChannelIntensities {
  readonly index: number;
  readonly properties: IntensityProperties[string] | undefined;
}

/** nnU-Net's normalisation schemes, by the names in its plans. Each works in place. */
const SCHEMES: Readonly<Record<string, Normalise>> = {
  CTNormalization(image, _inside, { index, properties }) {
    if (!properties) {
      throw new SegmentationError({
        code: 'INVALID_PLANS',
        message: `plans.json has no foreground_intensity_properties_per_channel for channel ${index}, which CTNormalization needs.`,
      });
    }
    const [low, high] = [Math.fround(properties.percentile_00_5), Math.fround(properties.percentile_99_5)];
    const mean = Math.fround(properties.mean);
    const deviation = Math.fround(Math.max(properties.std, EPSILON));
    for (let at = 0; at < image.length; at++) {
      const clipped = Math.min(Math.max(image[at]!, low), high);
      image[at] = Math.fround(clipped - mean) / deviation;
    }
  },
  ZScoreNormalization(image, inside) {
    let [sum, count] = [0, 0];
    for (let at = 0; at < image.length; at++) {
      if (inside && inside[at] === 0) continue;
      sum += image[at]!;
      count++;
    }
    const mean = Math.fround(sum / count);
    let squares = 0;
    for (let at = 0; at < image.length; at++) {
      if (inside?.[at] !== 0) squares += (image[at]! - mean) ** 2;
    }
    const deviation = Math.max(Math.fround(Math.sqrt(squares / count)), EPSILON);
    for (let at = 0; at < image.length; at++) {
      if (inside?.[at] !== 0) image[at] = Math.fround(image[at]! - mean) / deviation;
    }
  },
  NoNormalization() {},
  RescaleTo01Normalization(image) {
    const [minimum, maximum] = rangeOf(image);
    const range = Math.max(Math.fround(maximum - minimum), EPSILON);
    for (let at = 0; at < image.length; at++) image[at] = Math.fround(image[at]! - minimum) / range;
  },
  RGBTo01Normalization(image, _inside, { index }) {
    const [minimum, maximum] = rangeOf(image);
    if (minimum < 0 || maximum > 255) {
      throw new SegmentationError({
        code: 'INVALID_ARGUMENT',
        message: `channel ${index} has values from ${minimum} to ${maximum}; this model takes red, green or blue from 0 to 255.`,
      });
    }
    for (let at = 0; at < image.length; at++) image[at]! /= 255;
  },
};

/**
 * Normalises a channel in place, as nnU-Net's classes of these names.
 * @param inside 1 where the image was acquired: z-scores are of these voxels only, and the others stay as they are
 * @throws SegmentationError UNSUPPORTED for a scheme of someone's own; INVALID_PLANS, INVALID_ARGUMENT
 */
export function normalise(
  scheme: string,
  image: Float32Array,
  inside: Uint8Array | undefined,
  channel: ChannelIntensities,
): void {
  const run = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (!run) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `This model normalises channel ${channel.index} with "${scheme}"; known are ${Object.keys(SCHEMES).join(', ')}.`,
    });
  }
  run(image, inside, channel);
}

function rangeOf(image: Float32Array): [minimum: number, maximum: number] {
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of image) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return [minimum, maximum];
}
