import * as tf from '@tensorflow/tfjs-core';
import type { Shape3 } from './array-shape.js';
import type { SegmentationNetwork } from './network.js';
import type { TilePredictor } from './sliding-window.js';

/**
 * Runs a network on tiles: the mean of its logits for the tile and for its mirror images along each combination of
 * `mirrorAxes` (axes of the tile, 0 the first), mirrored back. nnU-Net's `_internal_maybe_mirror_and_predict`.
 */
export function tilePredictor(
  network: SegmentationNetwork,
  tile: Shape3,
  mirrorAxes: readonly number[],
): TilePredictor {
  const sides = network.dimensions === 2 ? tile.slice(1) : [...tile];
  const mirrors = combinations(mirrorAxes.map((axis) => axis + 1)); // the first axis of tensors is the batch
  return async (values) => {
    const mean = tf.tidy(() => {
      const input = tf.tensor(values, [1, ...sides, network.inputChannels]); // [1, (d,) h, w, channels]
      let sum = tf.tidy(() => network.forward(input)); // [1, (d,) h, w, classes]
      for (const axes of mirrors) {
        const added = tf.tidy(() => tf.add(sum, tf.reverse(network.forward(tf.reverse(input, axes)), axes)));
        sum.dispose();
        sum = added;
      }
      return mirrors.length === 0 ? sum : tf.div(sum, mirrors.length + 1);
    });
    try {
      return (await mean.data()) as Float32Array;
    } finally {
      mean.dispose();
    }
  };
}

/** All combinations of one or more of the axes: singles first, then pairs, then all, as itertools gives them. */
function combinations(axes: readonly number[]): number[][] {
  const all: number[][] = [[]];
  for (const axis of axes) all.push(...all.map((some) => [...some, axis]));
  const order = (some: readonly number[]): string => `${some.length} ${some.join(' ')}`;
  return all.slice(1).sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
