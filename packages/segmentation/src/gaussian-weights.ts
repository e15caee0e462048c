import { halfValues, toHalf } from './half-float.js';

/** What the largest weight is scaled to, so that the smallest ones are not lost in float16. */
const PEAK = 10;

/**
 * The weight of each voxel of a tile: a Gaussian about its middle with a standard deviation of 1/8 of each side, rounded to
 * float16, the zeros replaced by the smallest weight. nnU-Net's `compute_gaussian` with scipy's `gaussian_filter` of a
 * single 1, which ends at 4 standard deviations.
 */
export function gaussianWeights(sides: readonly number[]): Float32Array {
  const profiles = sides.map((side) => {
    const deviation = side / 8;
    const radius = Math.floor(4 * deviation + 0.5);
    const bell = (distance: number): number => Math.exp((-0.5 / deviation ** 2) * distance ** 2);
    let total = 0;
    for (let distance = -radius; distance <= radius; distance++) total += bell(distance);
    return Float64Array.from({ length: side }, (_, at) => {
      const distance = at - Math.floor(side / 2);
      return Math.abs(distance) > radius ? 0 : bell(distance) / total;
    });
  });
  const product = profiles.reduce(
    (weights, profile) =>
      Float64Array.from({ length: weights.length * profile.length }, (_, at) => {
        return weights[Math.floor(at / profile.length)]! * profile[at % profile.length]!;
      }),
    Float64Array.of(1),
  );
  const largest = product.reduce((most, weight) => Math.max(most, weight), 0);
  const values = halfValues();
  const rounded = Float32Array.from(product, (weight) => values[toHalf(weight / (largest / PEAK))]!);
  const smallest = rounded.reduce((least, weight) => (weight > 0 && weight < least ? weight : least), PEAK);
  return rounded.map((weight) => (weight === 0 ? smallest : weight));
}
