import type { RandomStream } from '@onco-response/engine';
import { countOf, type Shape3 } from './array-shape.js';
import { around1, between } from './patch-transform.js';
import type { TrainingPatch } from './training-patch.js';

/**
 * Changes a patch's intensities at random, in place, with nnU-Net's probabilities and strengths, channel by channel:
 * Gaussian noise, brightness, contrast, gamma of the inverted and of the plain image with mean and deviation kept. Its
 * blur and its simulated low resolution are left out.
 */
export function changeIntensities({ image }: TrainingPatch, channels: number, random: RandomStream): void {
  if (random.uniform() < 0.1) {
    const deviation = between(random, 0, 0.1);
    for (let at = 0; at < image.length; at++) image[at]! += deviation * random.normal();
  }
  const each = (probability: number, change: (values: Channel) => void): void => {
    if (random.uniform() >= probability) return;
    for (let channel = 0; channel < channels; channel++) change({ image, channel, channels });
  };
  each(0.15, (values) => {
    const factor = around1(random, 0.75, 1.25);
    mapChannel(values, (value) => value * factor);
  });
  each(0.15, (values) => {
    const factor = around1(random, 0.75, 1.25);
    const { mean, low, high } = statistics(values);
    mapChannel(values, (value) => Math.min(high, Math.max(low, (value - mean) * factor + mean)));
  });
  each(0.1, (values) => {
    mapChannel(values, (value) => -value);
    gamma(values, around1(random, 0.7, 1.5));
    mapChannel(values, (value) => -value);
  });
  each(0.3, (values) => gamma(values, around1(random, 0.7, 1.5)));
}

/** Mirrors a patch along each of the axes with probability 1/2. */
export function mirrorAtRandom(
  patch: TrainingPatch,
  shape: Shape3,
  axes: readonly number[],
  random: RandomStream,
): TrainingPatch {
  const flips = [0, 1, 2].map((axis) => axes.includes(axis) && random.uniform() < 0.5);
  if (!flips.includes(true)) return patch;
  const channels = patch.image.length / countOf(shape);
  const image = new Float32Array(patch.image.length);
  const labels = new Uint8Array(patch.labels.length);
  let to = 0;
  for (let i = 0; i < shape[0]; i++) {
    const z = flips[0] ? shape[0] - 1 - i : i;
    for (let j = 0; j < shape[1]; j++) {
      const y = flips[1] ? shape[1] - 1 - j : j;
      for (let k = 0; k < shape[2]; k++, to++) {
        const from = (z * shape[1] + y) * shape[2] + (flips[2] ? shape[2] - 1 - k : k);
        labels[to] = patch.labels[from]!;
        for (let c = 0; c < channels; c++) image[to * channels + c] = patch.image[from * channels + c]!;
      }
    }
  }
  return { image, labels };
}

interface Channel {
  readonly image: Float32Array;
  readonly channel: number;
  readonly channels: number;
}

function mapChannel({ image, channel, channels }: Channel, change: (value: number) => number): void {
  for (let at = channel; at < image.length; at += channels) image[at] = change(image[at]!);
}

function statistics(values: Channel): { mean: number; deviation: number; low: number; high: number } {
  let [sum, squares, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  mapChannel(values, (value) => {
    sum += value;
    squares += value * value;
    if (value < low) low = value;
    if (value > high) high = value;
    return value;
  });
  const count = values.image.length / values.channels;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), low, high };
}

function gamma(values: Channel, power: number): void {
  const before = statistics(values);
  const range = Math.max(before.high - before.low, 1e-7);
  mapChannel(values, (value) => ((value - before.low) / range) ** power * range + before.low);
  const after = statistics(values);
  const scale = before.deviation / Math.max(after.deviation, 1e-7);
  mapChannel(values, (value) => (value - after.mean) * scale + before.mean);
}
