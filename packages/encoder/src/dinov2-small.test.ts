import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import golden from './__fixtures__/dinov2-small-onnx.json' with { type: 'json' };
import { loadVit } from './load-vit.js';

const cache = process.env.ONCO_RESPONSE_CACHE ?? join(homedir(), '.cache/onco-response');
const directory = join(cache, 'encoders/dinov2-small');
const present = existsSync(join(directory, 'model.safetensors'));
if (!present) console.log(`skipped: no encoder at ${directory} (onco-train pull dinov2-small puts it there)`);

/** As in tooling/reference/encoder_dinov2_onnx.py, in the order [H, W, 3]. */
function pixels(side: number): tf.Tensor4D {
  const value = (index: number) => 2 * Math.sin(0.01 * index) + Math.sin(0.37 * index);
  return tf.tensor4d(
    Float32Array.from({ length: side * side * 3 }, (_, index) => value(index)),
    [1, side, side, 3],
  );
}

// 1e-4 is the accepted difference; float32 sums in another order than onnxruntime's come to 8e-6 in plain
// JavaScript, on values up to 10.
test.skipIf(!present)('the pulled DINOv2-derived ViT-S/14 equals its ONNX model to 1e-4', async () => {
  const native = await startEngine({ backend: 'tensorflow' }).catch((error: unknown) =>
    console.log(String(error)),
  );
  if (!native) await startEngine({ backend: 'cpu' });
  console.log(`dinov2-small runs on ${tf.getBackend()}`);
  const before = tf.memory().numTensors;
  const vit = await loadVit(directory);
  // In plain JavaScript a 224 x 224 image takes a minute.
  const cases = golden.cases.filter(({ side }) => native || side < 100);
  for (const { side, cls, patches } of cases) {
    const output = tf.tidy(() => {
      const { cls, patches } = vit.forward(pixels(side));
      return { cls: cls.dataSync(), patches: patches.dataSync() };
    });
    const difference = (found: ArrayLike<number>, expected: readonly number[]) =>
      expected.reduce((largest, value, index) => Math.max(largest, Math.abs(value - found[index]!)), 0);
    expect(difference(output.cls, cls), `class token, ${side}`).toBeLessThan(1e-4);
    for (const { index, values } of patches) {
      const found = output.patches.subarray(index * 384, (index + 1) * 384);
      expect(difference(found, values), `patch ${index}, ${side}`).toBeLessThan(1e-4);
    }
  }
  vit.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
