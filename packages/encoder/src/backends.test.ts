import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AdamW, type Backend, EngineError, startEngine, stopEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { attachLora } from './attach-lora.js';
import { loadVit } from './load-vit.js';

// Chromium's software device serves where there is no card
const software = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(software)) process.env.VK_ICD_FILENAMES ??= software;

const fixture = fileURLToPath(new URL('./__fixtures__/dinov2-tiny', import.meta.url));

interface Results {
  cls: Float32Array;
  loss: Float32Array;
  /** LoRA's A and B after one step of AdamW. */
  adapted: Float32Array;
}

/** Forward, and unless the backend is for inference only, one LoRA step. */
async function run(backend: Backend): Promise<Results> {
  await startEngine({ backend });
  const before = tf.memory().numTensors;
  const vit = await loadVit(fixture);
  const pixels = tf.tensor4d(
    Float32Array.from({ length: 2 * 16 * 16 * 3 }, (_, index) => Math.sin(0.7 * index)),
    [2, 16, 16, 3],
  );
  attachLora(vit, { r: 2, lora_alpha: 4, target_modules: ['query', 'value'] }, { seed: 3 });
  const clsTensor = tf.tidy(() => vit.forward(pixels).cls);
  const cls = (await clsTensor.data()) as Float32Array;
  const results: Results = { cls, loss: new Float32Array(), adapted: new Float32Array() };
  if (backend !== 'wasm') {
    const optimizer = new AdamW({ learningRate: 0.01, weightDecay: 0.1 });
    const variables = vit.trainableVariables();
    const step = tf.variableGrads(
      () => tf.mean(tf.square(vit.classToken(vit.prefix(pixels, 0), 0))) as tf.Scalar,
      variables,
    );
    optimizer.applyGradients(step.grads);
    results.loss = (await step.value.data()) as Float32Array;
    const joined = tf.tidy(() => tf.concat(variables.map((variable) => tf.reshape(variable, [-1]))));
    results.adapted = (await joined.data()) as Float32Array;
    tf.dispose([step.value, step.grads, joined]);
    optimizer.dispose();
  }
  tf.dispose([clsTensor, pixels]);
  vit.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

let reference: Results;
beforeAll(async () => {
  reference = await run('cpu');
  await stopEngine();
});
afterEach(stopEngine);

// 1e-3 is the accepted difference between devices, whose sums are in another order; AdamW's first step has the size of
// the learning rate whatever the gradient's, so a difference of 1e-3 is a tenth of the step.
test.each(['webgpu', 'tensorflow', 'wasm'] as const)(
  '%s gives the outputs and the LoRA step of plain JavaScript to 1e-3',
  async (backend) => {
    const found = await run(backend).catch((error: unknown) => {
      if (EngineError.isInstance(error) && error.code === 'BACKEND_MISSING') return error;
      throw error;
    });
    if (EngineError.isInstance(found)) return console.log(`skipped: ${found.message}`);
    expect(largestDifference(found.cls, reference.cls)).toBeLessThan(1e-3);
    expect(reference.cls.some((value) => Math.abs(value) > 0.1)).toBe(true);
    if (backend === 'wasm') return;
    expect(largestDifference(found.loss, reference.loss)).toBeLessThan(1e-3);
    expect(largestDifference(found.adapted, reference.adapted)).toBeLessThan(1e-3);
  },
);
