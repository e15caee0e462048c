import { fileURLToPath } from 'node:url';
import { startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseAdapterConfig } from './adapter-config.js';
import { adapterFromFiles, adapterToFiles } from './adapter-files.js';
import { type AttachOptions, attachLora, detachLora } from './attach-lora.js';
import { loadVit } from './load-vit.js';
import type { LoraOptions } from './lora-config.js';
import { pythonPattern } from './python-pattern.js';
import type { Vit } from './vit.js';

const fixture = (name: string) => fileURLToPath(new URL(`./__fixtures__/${name}`, import.meta.url));
const code = (expected: string) => expect.objectContaining({ code: expected, message: expect.any(String) });

let tensorsBefore: number;
let vit: Vit; // 3 blocks
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
});
beforeEach(async () => {
  tensorsBefore = tf.memory().numTensors;
  vit = await loadVit(fixture('dinov2-tiny'));
});
afterEach(() => {
  vit.dispose();
  expect(tf.memory().numTensors).toBe(tensorsBefore);
});

/** The layers that get a LoRA, without what their names begin with. */
function adapted(options: LoraOptions, more: AttachOptions = {}): string[] {
  attachLora(vit, options, more);
  const names = vit.linears().flatMap(({ name, lora }) => (lora ? [name.replace('encoder.layer.', '')] : []));
  detachLora(vit);
  return names;
}

test('target_modules: names of any naming, patterns, all-linear, exclusions, blocks', () => {
  expect(adapted({ target_modules: ['query', 'fc1'], layers_to_transform: 2 })).toEqual([
    '2.attention.attention.query',
    '2.mlp.fc1',
  ]);
  expect(adapted({ target_modules: ['v_proj'] }, { lastBlocks: 2 })).toEqual([
    '1.attention.attention.value',
    '2.attention.attention.value',
  ]);
  expect(adapted({ target_modules: '.*layer\\.0\\.attention\\.(q|k)_proj' })).toEqual([
    '0.attention.attention.query',
    '0.attention.attention.key',
  ]);
  expect(() => adapted({ target_modules: '.*layer\\.0\\.attention' })).toThrow(code('INVALID_ARGUMENT')); // whole names
  expect(adapted({ target_modules: 'all-linear' })).toHaveLength(18);
  expect(adapted({ target_modules: 'all-linear', exclude_modules: ['fc1', 'fc2'] })).toHaveLength(12);
  expect(
    adapted({ target_modules: 'all-linear', exclude_modules: '.*mlp.*' }, { lastBlocks: 1 }),
  ).toHaveLength(4);
  expect(adapted({ layers_to_transform: [1], layers_pattern: 'layer' })).toHaveLength(2);
  expect(() => adapted({ layers_to_transform: [1], layers_pattern: 'h' })).toThrow(code('INVALID_ARGUMENT'));
  expect(adapted({ target_modules: ['qkv'] }, { lastBlocks: 1 })).toHaveLength(3);
});

test('a fused layer has one A and its rows of B', () => {
  attachLora(vit, { r: 2, target_modules: ['qkv'] }, { lastBlocks: 1 });
  expect(vit.trainableVariables().map(({ shape }) => shape)).toEqual([
    [2, 32],
    [32, 2],
    [32, 2],
    [32, 2],
  ]);
  const { config } = adapterToFiles(vit);
  expect(config.target_modules).toEqual(['blocks.2.attn.qkv']); // peft's block pattern would not match blocks.2
  expect(() => adapterToFiles(vit, { naming: 'hub' })).toThrow(code('INVALID_ARGUMENT'));
});

test('ranks, alphas and beginnings by layer', () => {
  attachLora(vit, {
    r: 4,
    lora_alpha: 8,
    target_modules: ['query', 'value', 'fc1'],
    rank_pattern: { 'layer\\.1\\..*value': 2, q_proj: 1 },
    alpha_pattern: { fc1: 2 },
    init_lora_weights: false,
  });
  const loras = vit.linears().flatMap(({ lora }) => lora ?? []);
  expect(loras.map(({ a }) => a.shape[0])).toEqual([1, 4, 4, 1, 2, 4, 1, 4, 4]);
  expect(loras.slice(0, 3).map(({ scaling }) => scaling)).toEqual([8, 2, 0.5]);
  expect(loras.every(({ b }) => b.dataSync().some((value) => value !== 0))).toBe(true);
  const largest = Math.max(...loras[1]!.b.dataSync());
  expect(largest).toBeGreaterThan(0.4);
  expect(largest).toBeLessThanOrEqual(0.5); // 1 / sqrt(4)
  detachLora(vit);
  attachLora(vit, { r: 8, init_lora_weights: 'gaussian' }, { lastBlocks: 1 });
  const [a, b] = vit.trainableVariables().map((variable) => variable.dataSync());
  const deviation = Math.sqrt(
    Array.from(a!, (value) => value ** 2).reduce((sum, square) => sum + square) / a!.length,
  );
  expect(Math.abs(deviation - 1 / 8)).toBeLessThan(0.03); // 256 values: 5 standard errors
  expect(b!.every((value) => value === 0)).toBe(true);
});

test('trainBlocks, modules_to_save and bias: what is trained, saved, loaded and put back', async () => {
  const plain = vit.parameters().map((parameter) => parameter.get());
  attachLora(
    vit,
    { r: 2, bias: 'lora_only', modules_to_save: ['layernorm'] },
    { lastBlocks: 2, trainBlocks: [2] },
  );
  expect(vit.trainableVariables().map(({ name }) => name)).toMatchInlineSnapshot(`
    [
      "encoder.layer.1.attention.attention.query.lora_A.weight",
      "encoder.layer.1.attention.attention.query.lora_B.weight",
      "encoder.layer.1.attention.attention.value.lora_A.weight",
      "encoder.layer.1.attention.attention.value.lora_B.weight",
      "encoder.layer.1.attention.attention.query.bias",
      "encoder.layer.1.attention.attention.value.bias",
      "encoder.layer.2.norm1.weight",
      "encoder.layer.2.norm1.bias",
      "encoder.layer.2.attention.attention.query.weight",
      "encoder.layer.2.attention.attention.query.bias",
      "encoder.layer.2.attention.attention.key.weight",
      "encoder.layer.2.attention.attention.key.bias",
      "encoder.layer.2.attention.attention.value.weight",
      "encoder.layer.2.attention.attention.value.bias",
      "encoder.layer.2.attention.output.dense.weight",
      "encoder.layer.2.attention.output.dense.bias",
      "encoder.layer.2.norm2.weight",
      "encoder.layer.2.norm2.bias",
      "encoder.layer.2.mlp.fc1.weight",
      "encoder.layer.2.mlp.fc1.bias",
      "encoder.layer.2.mlp.fc2.weight",
      "encoder.layer.2.mlp.fc2.bias",
      "encoder.layer.2.layer_scale1.lambda1",
      "encoder.layer.2.layer_scale2.lambda1",
      "layernorm.weight",
      "layernorm.bias",
    ]
  `);
  for (const variable of vit.trainableVariables()) tf.tidy(() => variable.assign(tf.add(variable, 0.125)));
  const values = () => vit.trainableVariables().map((variable) => [...variable.dataSync()]);
  const trained = values();
  const files = adapterToFiles(vit);
  expect(files.config.modules_to_save).toEqual(['layernorm', 'encoder.layer.2']);
  detachLora(vit);
  expect(vit.parameters().map((parameter) => parameter.get())).toEqual(plain);
  adapterFromFiles(vit, files);
  expect(values()).toEqual(trained);
  expect(adapterToFiles(vit).weights).toEqual(files.weights);
  const pixels = tf.ones<tf.Rank.R4>([1, 16, 16, 3]);
  expect(() => vit.prefix(pixels, 2)).toThrow(/Block 1 has a LoRA or is trained/);
  tf.dispose([pixels, vit.prefix(pixels, 1)]);
  detachLora(vit);
  attachLora(vit, { target_modules: [] }, { trainBlocks: [1] });
  expect(vit.trainableVariables()).toHaveLength(18);
  detachLora(vit);
  attachLora(vit, { bias: 'all' }, { lastBlocks: 1 });
  const image = tf.ones<tf.Rank.R4>([1, 16, 16, 3]);
  expect(() => vit.prefix(image, 0)).toThrow(/embedding are trained/);
  image.dispose();
});

test('the gradient goes no deeper than the first adapted block', async () => {
  const kernels = async (lastBlocks: number): Promise<number> => {
    attachLora(vit, { r: 2 }, { lastBlocks });
    const pixels = tf.ones<tf.Rank.R4>([1, 16, 16, 3]);
    const run = async (operation: () => void): Promise<number> =>
      (await tf.profile(() => tf.tidy(operation) as unknown as tf.TensorContainer)).kernels.length;
    const forward = await run(() => void vit.forward(pixels));
    const both = await run(() => {
      tf.variableGrads(() => tf.sum(vit.forward(pixels).cls) as tf.Scalar, vit.trainableVariables());
    });
    tf.dispose(pixels);
    detachLora(vit);
    return both - forward;
  };
  const [one, two, three] = [await kernels(1), await kernels(2), await kernels(3)];
  expect(three - two).toBeGreaterThan(20);
  expect(two - one).toBe(three - two); // each block as much as the other, and nothing below the first adapted one
});

test('what cannot be adapted or means nothing is refused', () => {
  const attach = (options: LoraOptions, more?: AttachOptions) => () => attachLora(vit, options, more);
  expect(attach({ target_modules: ['proj'] })).toThrow(/patch_embed.proj too/);
  expect(attach({ target_modules: ['projection'] })).toThrow(code('UNSUPPORTED'));
  expect(attach({ modules_to_save: ['embeddings'] })).toThrow(code('UNSUPPORTED'));
  expect(attach({ target_modules: ['qkv', 'query'] })).toThrow(/both alone and as a part/);
  expect(attach({ target_modules: '.*query', layers_to_transform: [1] })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({ layers_to_transform: [1] }, { lastBlocks: 1 })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({}, { lastBlocks: 4 })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({}, { trainBlocks: [3] })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({ rank_pattern: { query: 1.5 } })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({ bias: 'some' as 'all' })).toThrow(code('INVALID_ARGUMENT'));
  expect(attach({ init_lora_weights: 'pissa' as 'gaussian' })).toThrow(code('INVALID_ARGUMENT'));
  expect(vit.loraConfig).toBeUndefined();
});

test.each([
  ['use_dora', true],
  ['fan_in_fan_out', true],
  ['lora_bias', true],
  ['megatron_config', { a: 1 }],
  ['layer_replication', [[0, 2]]],
  ['target_parameters', ['a']],
  ['trainable_token_indices', [1]],
  ['use_qalora', true],
  ['alora_invocation_tokens', [1]],
  ['use_bdlora', { a: 1 }],
  ['kasa_config', { a: 1 }],
  ['init_lora_weights', 'pissa'],
  ['init_lora_weights', 'loftq'],
  ['peft_type', 'LOHA'],
  ['a_field_of_the_future', 1],
])('adapter_config.json with %s = %j is refused by name', (field, value) => {
  const config = { peft_type: 'LORA', r: 2, target_modules: ['query'], [field]: value };
  expect(() => parseAdapterConfig(config)).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(field) }),
  );
});

test('patterns that could take exponential time are refused', () => {
  const names = `${'a'.repeat(60)}!`;
  for (const pattern of ['(a+)+', '(a|a)*b', '(.*)*', 'a'.repeat(600), '.*.*.*.*.*.*.*b', '(', '(?P<a>b'])
    expect(() => pythonPattern('target_modules', pattern)).toThrow(code('UNSUPPORTED'));
  expect(pythonPattern('target_modules', '.*layers\\.(1|2)\\..*_proj').test(names)).toBe(false);
});
