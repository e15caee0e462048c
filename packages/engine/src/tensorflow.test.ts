import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { startEngine } from './start-engine.js';

const tfjsNode = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'));
const library = join(tfjsNode, 'lib');
const provided = existsSync(library) && readdirSync(library).length > 0;
if (!provided)
  console.log('no libtensorflow here (node tooling/native/provide.mjs): only its absence is tested');

test.skipIf(provided)('without libtensorflow, asking for it says how to get it', async () => {
  await expect(startEngine({ backend: 'tensorflow' })).rejects.toMatchObject({
    code: 'BACKEND_MISSING',
    message: expect.stringContaining('tooling/native/provide.mjs'),
  });
});

test.skipIf(!provided)('libtensorflow runs with oneDNN on and differentiates', async () => {
  const info = await startEngine({ backend: 'tensorflow', threads: 1 });
  expect(info).toMatchObject({ backend: 'tensorflow', threads: 1, oneDnn: true });
  expect(info.library).toMatch(/^libtensorflow 2\.\d+/);
  const before = tf.memory().numTensors;
  const gradient = tf.tidy(
    () =>
      tf
        .grad((x) => tf.sum(tf.erf(x)))(tf.tensor1d([0]))
        .dataSync()[0],
  );
  expect(gradient).toBeCloseTo(2 / Math.sqrt(Math.PI), 6);
  expect(tf.memory().numTensors).toBe(before);
});
