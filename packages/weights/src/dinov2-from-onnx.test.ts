import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dinov2FromOnnx } from './dinov2-from-onnx.js';

/** Made by tooling/reference/weights_goldens.py with the structure of a real export, anonymous weights included. */
const model = readFileSync(new URL('./__fixtures__/dinov2-export.onnx', import.meta.url));

/** In the order in which the export stores them. */
const LINEAR = [
  'attention.attention.key',
  'attention.attention.value',
  'attention.attention.query',
  'attention.output.dense',
  'mlp.fc1',
  'mlp.fc2',
];

test('every weight is named after the bias added to its product, and transposed back to [out, in]', () => {
  const { tensors } = dinov2FromOnnx(model);
  LINEAR.forEach((name, number) => {
    const weight = tensors.get(`encoder.layer.0.${name}.weight`)!;
    const expected = Float32Array.from(
      { length: 64 * 64 },
      (_, at) => (number * 7 + Math.floor(at / 64) * 3 + (at % 64) * 5) % 101,
    );
    expect(weight.shape).toEqual([64, 64]);
    expect(weight.data, name).toEqual(expected);
  });
});

test('the position embeddings are joined, the decoder is dropped, the configuration follows from the shapes', () => {
  const { tensors, config } = dinov2FromOnnx(model);
  const positions = tensors.get('embeddings.position_embeddings')!;
  expect(positions.shape).toEqual([1, 10, 64]);
  expect([positions.data[0], positions.data[63], positions.data[64], positions.data.at(-1)]).toEqual([
    5, 5, 6, 6,
  ]);
  expect([...tensors.keys()].filter((name) => /decoder|onnx|backbone/.test(name))).toEqual([]);
  expect(tensors.size).toBe(24);
  expect(config).toMatchObject({
    model_type: 'dinov2',
    hidden_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    mlp_ratio: 1,
    image_size: 6,
    patch_size: 2,
    layer_norm_eps: 1e-6,
  });
});

test('says what is missing', () => {
  const without = (name: string, instead: string) =>
    dinov2FromOnnx(Buffer.from(model.toString('latin1').replaceAll(name, instead), 'latin1'));
  expect(() => dinov2FromOnnx(model, { prefix: 'encoder.' })).toThrow(/no embeddings\.cls_token/);
  expect(() => without('mlp.fc2.bias', 'mlp.fc2.baas')).toThrow(/encoder\.layer\.0\.mlp\.fc2\.weight/);
  expect(() => without('onnx::Concat_1957', 'onnx::Concat_0000')).not.toThrow(); // a constant's own name means nothing
  expect(() => without('Concat', 'Cancot')).toThrow(/no position embeddings/);
});
