import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, test } from 'vitest';
import { EngineError } from './engine-error.js';
import { startEngine, stopEngine } from './start-engine.js';

// Chromium's software device serves where there is no card
const software = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(software)) process.env.VK_ICD_FILENAMES ??= software;
const started = await startEngine({ backend: 'webgpu' }).catch((error: unknown) => error);
const missing = EngineError.isInstance(started) ? started : undefined;
if (missing) console.log(`skipped: ${missing.message}`);
afterAll(stopEngine);

test.skipIf(!missing)('without a device the error says what is needed', () => {
  expect(missing).toMatchObject({ code: 'BACKEND_MISSING', message: expect.stringContaining('Vulkan') });
});

test.skipIf(missing)('names its device, multiplies and differentiates', async () => {
  expect(started).toMatchObject({
    backend: 'webgpu',
    device: 'gpu',
    deviceName: expect.stringMatching(/\w/),
  });
  const before = tf.memory().numTensors;
  const gradient = tf.tidy(() =>
    tf.grad((x) => tf.sum(tf.square(tf.matMul(x, tf.eye(2)))))(tf.tensor2d([[1, -2]])),
  );
  expect([...(await gradient.data())]).toEqual([2, -4]);
  gradient.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
