import { fileURLToPath } from 'node:url';
import { AdamW, RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { adapterToFiles } from './adapter-files.js';
import { attachLora } from './attach-lora.js';
import { loadVit } from './load-vit.js';
import type { Vit } from './vit.js';

const fixture = fileURLToPath(new URL('./__fixtures__/dinov2-tiny', import.meta.url));
const native = await startEngine({ backend: 'tensorflow', threads: 1 }).catch((error: unknown) =>
  console.log(`skipped: ${error}`),
);

/** A LoRA with dropout, trained for some steps; `each` sees every step's number. */
async function train(steps: number, each: (step: number) => void = () => undefined): Promise<Vit> {
  const vit = await loadVit(fixture);
  const frozen = vit.config.num_hidden_layers - 1;
  attachLora(
    vit,
    { r: 2, lora_alpha: 4, lora_dropout: 0.1, target_modules: ['query', 'value'] },
    { seed: 5, lastBlocks: 1 },
  );
  const dropout = new RandomStream(5, 'dropout');
  const optimizer = new AdamW({ learningRate: 1e-3, weightDecay: 0.01 });
  const pixels = tf.tidy(
    () => tf.reshape(tf.sin(tf.range(0, 2 * 16 * 16 * 3)), [2, 16, 16, 3]) as tf.Tensor4D,
  );
  const tokens = vit.prefix(pixels, frozen);
  for (let step = 1; step <= steps; step++) {
    const loss = () =>
      tf.mean(tf.square(vit.classToken(tokens, frozen, { dropout, constantTokens: true }))) as tf.Scalar;
    const { value, grads } = tf.variableGrads(loss, vit.trainableVariables());
    optimizer.applyGradients(grads);
    tf.dispose([value, grads]);
    each(step);
  }
  optimizer.dispose();
  tf.dispose([pixels, tokens]);
  return vit;
}

// The library's own pools settle within the first steps; keeping one token tensor a step would add 4 MB, a block's 50.
test.skipIf(!native)('1000 steps leave the tensor count and the resident memory flat', async () => {
  const seen: { tensors: number; megabytes: number }[] = [];
  const vit = await train(1000, (step) => {
    if (step % 100 > 0) return;
    const { rss, heapTotal } = process.memoryUsage(); // JavaScript's own heap comes and goes with its collector
    seen.push({ tensors: tf.memory().numTensors, megabytes: (rss - heapTotal) / 2 ** 20 });
  });
  vit.dispose();
  expect(new Set(seen.map(({ tensors }) => tensors)).size).toBe(1);
  const settled = Math.max(...seen.slice(0, 5).map(({ megabytes }) => megabytes));
  expect(seen.at(-1)!.megabytes - settled).toBeLessThan(20);
});

test.skipIf(!native)('the same seed and threads give the same adapter, byte for byte', async () => {
  const adapters = [];
  for (let run = 0; run < 2; run++) {
    const vit = await train(20);
    adapters.push(adapterToFiles(vit).weights);
    vit.dispose();
  }
  expect(Buffer.compare(adapters[0]!, adapters[1]!)).toBe(0);
});
