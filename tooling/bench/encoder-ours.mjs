/** Our side of `pnpm bench encoder`. Answers one line a command, see bench-encoder.mjs. */
import { createInterface } from 'node:readline';
import { attachLora, loadVit } from '@onco-response/encoder';
import { AdamW, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';

const [task, folder, threads, batch] = process.argv
  .slice(2)
  .map((text, index) => (index > 1 ? Number(text) : text));
const FROZEN = 8;
const WIDTH = 384;

const engine = await startEngine({ backend: 'tensorflow', threads });
const vit = await loadVit(folder);
// the peer's pixels are [B, 3, H, W]
const flat = Float32Array.from({ length: batch * 3 * 224 * 224 }, (_, index) =>
  Math.sin(Math.fround(Math.fround(0.01) * index)),
);
const pixels = tf.tidy(() => tf.transpose(tf.tensor4d(flat, [batch, 3, 224, 224]), [0, 2, 3, 1]));
const labels = tf.tensor1d(Array.from({ length: batch }, (_, index) => index % 2));
const cached = tf.tidy(() => vit.prefix(pixels, FROZEN).dataSync());

if (task !== 'forward') {
  attachLora(
    vit,
    { r: 8, lora_alpha: 16, target_modules: ['query', 'value'], layers_to_transform: [8, 9, 10, 11] },
    { seed: 0 },
  );
}
const head = tf.variable(tf.zeros([WIDTH, 1]));
const bias = tf.variable(tf.zeros([1]));
const optimizer = new AdamW({ learningRate: 1e-4, weightDecay: 0.01 });

function train(classTokens) {
  const variables = [...vit.trainableVariables(), head, bias];
  const { value, grads } = tf.variableGrads(() => {
    const logits = tf.add(tf.reshape(tf.matMul(classTokens(), head), [-1]), bias);
    // max(x, 0) - x y + log(1 + exp(-|x|)), as PyTorch's
    return tf.mean(
      tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), tf.log1p(tf.exp(tf.neg(tf.abs(logits))))),
    );
  }, variables);
  optimizer.applyGradients(grads);
  const [loss] = value.dataSync();
  tf.dispose([value, grads]);
  return loss;
}

const work = {
  forward: () => tf.tidy(() => vit.forward(pixels).cls.dataSync()[0]),
  step: () =>
    train(() =>
      vit.classToken(
        tf.tidy(() => vit.prefix(pixels, FROZEN)),
        FROZEN,
      ),
    ),
  cached: () =>
    tf.tidy(() => {
      const tokens = tf.tensor3d(cached, [batch, 197, WIDTH]);
      return train(() => vit.classToken(tokens, FROZEN, { constantTokens: true }));
    }),
}[task];

console.log(JSON.stringify({ ready: engine.library }));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'peak') {
    console.log(JSON.stringify({ peakMb: process.resourceUsage().maxRSS / 1024 }));
    continue;
  }
  const start = performance.now();
  const result = work();
  console.log(JSON.stringify({ milliseconds: performance.now() - start, result }));
}
process.exit();
