import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readAllTensors } from './lazy-checkpoint.js';
import { InertObject } from './pickle-values.js';
import { fromBase64 } from './test-files.js';
import { openTorchCheckpoint, readTorchCheckpoint } from './torch-checkpoint.js';
import type { WeightTensor } from './weight-tensor.js';

/** Made by tooling/reference/weights_torch_goldens.py with torch.save itself. */
const golden = JSON.parse(
  readFileSync(new URL('./__fixtures__/torch-checkpoints.json', import.meta.url), 'utf8'),
) as {
  honest: Record<
    string,
    { file: string; tensors: Record<string, { dtype: string; shape: number[]; bytes: string }> }
  >;
  namespace: string;
};
const honest = Object.entries(golden.honest);
const file = (name: string) => fromBase64(golden.honest[name]!.file);
const sourceOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
});

/** Bit for bit, NaN included. */
function asGolden(tensors: ReadonlyMap<string, WeightTensor>) {
  return Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') },
    ]),
  );
}

test.each(honest)('%s: every tensor as torch has it, bit for bit', (_, { file: text, tensors }) => {
  expect(asGolden(readTorchCheckpoint(fromBase64(text)).tensors)).toEqual(tensors);
});

test.each(honest)('%s: by range, and from unaligned memory, the same', async (_, { file: text, tensors }) => {
  const bytes = fromBase64(text);
  const checkpoint = await openTorchCheckpoint(sourceOf(bytes));
  expect([...checkpoint.entries.keys()]).toEqual(Object.keys(tensors));
  expect(asGolden(await readAllTensors(checkpoint))).toEqual(tensors);
  const shifted = Buffer.alloc(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(asGolden(readTorchCheckpoint(shifted.subarray(1)).tensors)).toEqual(tensors);
});

test.each(['nnU-Net', 'nnU-Net, legacy', 'nnU-Net, protocol 5'])('%s: the value is plain data', (name) => {
  const { value, tensors } = readTorchCheckpoint(file(name));
  const part = (key: string) => (value as Map<string, unknown>).get(key);
  expect(part('_best_ema')).toBe(0.375);
  expect(part('logging')).toEqual(
    new Map([
      ['mean_fg_dice', [0.25, 0.5]],
      ['ema_fg_dice', [0.25]],
      ['lrs', [0.01]],
    ]),
  );
  expect(part('current_epoch')).toBe(1000);
  expect(part('trainer_name')).toBe('nnUNetTrainer');
  expect(part('inference_allowed_mirroring_axes')).toEqual([0, 1, 2]);
  const settings = part('init_args') as Map<string, unknown>;
  expect(settings.get('device')).toBe('cuda:0');
  expect(settings.get('unpack_dataset')).toBe(true);
  const weights = part('network_weights') as Map<string, WeightTensor>;
  expect(weights.get('0.weight')).toBe(tensors.get('network_weights.0.weight'));
  expect([...tensors.keys()]).toContain('optimizer_state.state.0.momentum_buffer');
});

test.each(['numpy', 'numpy, legacy', 'numpy, protocol 5'])(
  '%s: scalars, sets, bytes, large integers',
  (name) => {
    const { value } = readTorchCheckpoint(file(name));
    const part = (key: string) => (value as Map<string, unknown>).get(key);
    expect(part('scalars')).toEqual([0.5, 2n ** 60n, -3, true, 65535]);
    expect(part('others')).toEqual([
      new Set([1, 2]),
      new Set(['a']),
      Uint8Array.from(Buffer.from('bytes')),
      new Uint8Array(0),
      Uint8Array.from(Buffer.from('more')),
      [1, 2],
      'torch.float16',
      2n ** 70n,
      -(2 ** 40),
      1e-300,
      null,
      'Größe \u{1f600}',
    ]);
  },
);

test('tied weights are one tensor; contiguous tensors are views of the file', () => {
  const bytes = file('strides and sharing');
  const { tensors } = readTorchCheckpoint(bytes);
  expect(tensors.get('tied.decoder.0')).toBe(tensors.get('tied.weight'));
  expect(tensors.get('tied.decoder.1')!.data.byteOffset).toBe(tensors.get('tied.weight')!.data.byteOffset);
  expect(tensors.get('whole')!.data.buffer).toBe(bytes.buffer);
  expect(readTorchCheckpoint(file('a lone tensor')).tensors.get('')!.data).toEqual(Float32Array.of(0, 1, 2));
});

test('by range only the storage of the tensor is read', async () => {
  const bytes = file('every dtype');
  const ranges: number[] = [];
  const checkpoint = await openTorchCheckpoint({
    size: bytes.length,
    read: async (offset, length) => {
      ranges.push(length);
      return bytes.slice(offset, offset + length);
    },
  });
  expect(checkpoint.entries.get('F64')).toMatchObject({ dtype: 'F64', shape: [2, 3] });
  ranges.length = 0;
  await checkpoint.tensor('F64');
  expect(ranges).toHaveLength(3); // the entry's header, its name, its data
  expect(ranges.at(-1)).toBe(48);
  await expect(checkpoint.tensor('F65')).rejects.toMatchObject({ code: 'MISSING_KEYS' });
});

test('a read that fails once can be repeated', async () => {
  const bytes = file('a lone tensor');
  let isDown = false;
  const checkpoint = await openTorchCheckpoint({
    size: bytes.length,
    read: async (offset, length) => {
      if (isDown) throw new Error('the network is down');
      return bytes.slice(offset, offset + length);
    },
  });
  isDown = true;
  await expect(checkpoint.tensor('')).rejects.toThrow('down');
  isDown = false;
  expect((await checkpoint.tensor('')).data).toEqual(Float32Array.of(0, 1, 2));
});

test('a class that the caller names becomes an inert object, its tensors included', () => {
  const bytes = fromBase64(golden.namespace);
  expect(() => readTorchCheckpoint(bytes)).toThrow(/argparse\.Namespace/);
  const { value, tensors } = readTorchCheckpoint(bytes, { inertClasses: ['argparse.Namespace'] });
  const namespace = (value as Map<string, unknown>).get('args') as InertObject;
  expect(namespace).toBeInstanceOf(InertObject);
  expect(namespace.className).toBe('argparse.Namespace');
  expect((namespace.state as Map<string, unknown>).get('lr')).toBe(0.1);
  expect([...tensors.keys()]).toEqual(['args.scale', 'model.weight']);
});
