import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromFloat32 } from '../float32.js';
import { readAllTensors } from '../lazy-checkpoint.js';
import { writeSafetensors } from '../safetensors.js';
import { fromBase64 } from '../test-files.js';
import { openFile } from './file-source.js';
import { openCheckpoint, openSafetensorsFile } from './open-checkpoint.js';

const torch = JSON.parse(
  readFileSync(new URL('../__fixtures__/torch-checkpoints.json', import.meta.url), 'utf8'),
) as { honest: Record<string, { file: string }>; hostile: Record<string, string>; namespace: string };

const one = (name: string, value: number) =>
  writeSafetensors(new Map([[name, fromFloat32(Float32Array.of(value), [1])]]), { format: 'pt' });
const indexOf = (map: Record<string, string>) => JSON.stringify({ weight_map: map });

let directory: string;
const at = (...names: string[]) => join(directory, ...names);
const write = (name: string, content: Uint8Array | string) => writeFileSync(at(name), content);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'onco-weights-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function valuesIn(path: string): Promise<Record<string, unknown>> {
  const checkpoint = await openCheckpoint(path);
  try {
    return Object.fromEntries(
      [...(await readAllTensors(checkpoint))].map(([name, { data }]) => [name, [...data]]),
    );
  } finally {
    await checkpoint.close();
  }
}

test('one safetensors file, read by range', async () => {
  write('model.safetensors', one('a', 1));
  const checkpoint = await openSafetensorsFile(at('model.safetensors'));
  expect(checkpoint.metadata).toEqual({ format: 'pt' });
  expect(checkpoint.entries.get('a')).toMatchObject({ dtype: 'F32', shape: [1] });
  expect((await checkpoint.tensor('a')).data).toEqual(Float32Array.of(1));
  await checkpoint.close();
  await expect(checkpoint.tensor('a')).rejects.toThrow();
});

test('a directory: transformers order of names, then its only weights file', async () => {
  write('config.json', '{}');
  await expect(openCheckpoint(directory)).rejects.toMatchObject({ code: 'FILE_MISSING' });
  write('net.pth', fromBase64(torch.honest['a lone tensor']!.file));
  expect(await valuesIn(directory)).toEqual({ '': [0, 1, 2] });
  write('other.pt', fromBase64(torch.honest['a lone tensor, legacy']!.file));
  await expect(openCheckpoint(directory)).rejects.toThrow(/2 weights files \(net\.pth, other\.pt\)/);
  expect(await valuesIn(at('other.pt'))).toEqual({ '': [0, 1, 2] });
  write('pytorch_model.bin', fromBase64(torch.honest['a lone tensor, protocol 5']!.file));
  expect(await valuesIn(directory)).toEqual({ '': [0, 1, 2] });
  write('1.safetensors', one('a', 1));
  write('2.safetensors', one('b', 2));
  write('model.safetensors.index.json', indexOf({ a: '1.safetensors', b: '2.safetensors' }));
  expect(await valuesIn(directory)).toEqual({ a: [1], b: [2] });
  write('model.safetensors', one('c', 3));
  expect(await valuesIn(directory)).toEqual({ c: [3] });
});

test('shards written by torch', async () => {
  write('pytorch_model-1.bin', fromBase64(torch.honest['a lone tensor']!.file));
  write('pytorch_model.bin.index.json', indexOf({ '': 'pytorch_model-1.bin' }));
  expect(await valuesIn(directory)).toEqual({ '': [0, 1, 2] });
});

test('errors name the file', async () => {
  await expect(openCheckpoint(at('nowhere'))).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringContaining(at('nowhere')),
  });
  write('1.safetensors', one('a', 1));
  write('model.safetensors.index.json', indexOf({ a: '1.safetensors', b: '2.safetensors' }));
  await expect(openCheckpoint(directory)).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringMatching(/model\.safetensors\.index\.json: .*2\.safetensors/),
  });
  write('2.safetensors', one('b', 1).subarray(0, -1));
  await expect(openCheckpoint(directory)).rejects.toMatchObject({
    code: 'TRUNCATED',
    message: expect.stringContaining('2.safetensors'),
  });
  write('evil.pth', fromBase64(torch.hostile['os.system']!));
  await expect(openCheckpoint(at('evil.pth'))).rejects.toMatchObject({
    code: 'UNSAFE_PICKLE',
    message: expect.stringMatching(/evil\.pth.*\.system/),
  });
  write('evil.safetensors', fromBase64(torch.hostile['os.system']!));
  await expect(openSafetensorsFile(at('evil.safetensors'))).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test('a range that no array holds is refused', async () => {
  write('empty', '');
  const file = await openFile(at('empty'));
  await expect(file.read(0, 2 ** 53)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  await file.close();
});

test('inert classes are passed on', async () => {
  write('args.pth', fromBase64(torch.namespace));
  await expect(openCheckpoint(at('args.pth'))).rejects.toThrow(/argparse\.Namespace/);
  const checkpoint = await openCheckpoint(at('args.pth'), { inertClasses: ['argparse.Namespace'] });
  expect([...checkpoint.entries.keys()]).toEqual(['args.scale', 'model.weight']);
  await checkpoint.close();
});
