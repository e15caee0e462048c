import * as tf from '@tensorflow/tfjs-core';
import type { Margins } from './convolution-geometry.js';

/** Zeros around the 3 axes of [B, D, H, W, C]. */
export function padVolume(x: tf.Tensor, margins: Margins | undefined): tf.Tensor {
  return margins
    ? tf.pad(x, [[0, 0], ...margins.map(([before, after]) => [before, after] as [number, number]), [0, 0]])
    : x;
}

/** What `padVolume` had been given: `shape` starting behind the margins. */
export function cropVolume(x: tf.Tensor, margins: Margins | undefined, shape: readonly number[]): tf.Tensor {
  return margins ? tf.slice(x, [0, ...margins.map(([before]) => before), 0], [...shape]) : x;
}
