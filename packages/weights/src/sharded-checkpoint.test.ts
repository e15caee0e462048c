import { expect, test } from 'vitest';
import { fromFloat32 } from './float32.js';
import { readAllTensors } from './lazy-checkpoint.js';
import { openSafetensors } from './open-safetensors.js';
import { writeSafetensors } from './safetensors.js';
import { openShards } from './sharded-checkpoint.js';
import { WeightsError } from './weights-error.js';

const ONE = 'model-00001-of-00002.safetensors';
const TWO = 'model-00002-of-00002.safetensors';
const one = (value: number) => fromFloat32(Float32Array.of(value), [1]);
const shards: Record<string, Uint8Array> = {
  [ONE]: writeSafetensors(
    new Map([
      ['a', one(1)],
      ['b', one(2)],
    ]),
    { format: 'pt' },
  ),
  [TWO]: writeSafetensors(new Map([['c', one(3)]]), { format: 'pt' }),
};
const indexOf = (map: unknown) =>
  new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 12 }, weight_map: map }));
const good = { a: ONE, b: ONE, c: TWO };

const open = (index: Uint8Array, files = shards) =>
  openShards(index, async (file) => {
    const bytes = files[file];
    if (!bytes) throw new WeightsError({ code: 'FILE_MISSING', message: 'There is no such file.' });
    return openSafetensors({
      size: bytes.length,
      read: async (offset, length) => bytes.slice(offset, offset + length),
    });
  });

test('the tensors of all shards, in the order of the index', async () => {
  const checkpoint = await open(indexOf(good));
  expect(checkpoint.metadata).toEqual({ format: 'pt' });
  expect(checkpoint.entries.get('c')).toMatchObject({ dtype: 'F32', shape: [1] });
  expect([...(await readAllTensors(checkpoint))].map(([name, { data }]) => [name, data[0]])).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  await expect(checkpoint.tensor('d')).rejects.toMatchObject({ code: 'MISSING_KEYS' });
});

test.each<[string, unknown, Record<string, Uint8Array>, string, RegExp]>([
  ['a missing shard', { ...good, d: 'model-3.safetensors' }, shards, 'FILE_MISSING', /^model-3\.safetensors/],
  ['a tensor that its shard lacks', { ...good, d: TWO }, shards, 'MISSING_KEYS', /model-00002.* d\./],
  ['a tensor that the index lacks', { a: ONE, c: TWO }, shards, 'UNEXPECTED_KEYS', /model-00001.* b\./],
  [
    'a tensor in two shards',
    good,
    {
      ...shards,
      [TWO]: writeSafetensors(
        new Map([
          ['b', one(9)],
          ['c', one(3)],
        ]),
      ),
    },
    'DUPLICATE_KEY',
    /model-00002.*model-00001.* b\./,
  ],
  [
    'a tensor in the wrong shard',
    { a: ONE, b: TWO, c: TWO },
    shards,
    'DUPLICATE_KEY',
    /model-00001.*model-00002.* b\./,
  ],
  [
    'a truncated shard',
    good,
    { ...shards, [ONE]: shards[ONE]!.subarray(0, -1) },
    'TRUNCATED',
    /^model-00001.*"b"/,
  ],
  [
    'a shard cut in its header',
    good,
    { ...shards, [ONE]: shards[ONE]!.subarray(0, 20) },
    'TRUNCATED',
    /^model-00001/,
  ],
  ['a path', { a: '../secret.safetensors' }, shards, 'MALFORMED', /secret/],
  ['a folder', { a: 'folder/model.safetensors' }, shards, 'MALFORMED', /folder/],
  ['a hidden name', { a: '..' }, shards, 'MALFORMED', /"\.\."/],
  ['a number for a file', { a: 1 }, shards, 'MALFORMED', /"a"/],
  ['no weight_map', undefined, shards, 'MALFORMED', /weight_map/],
  ['a list', [], shards, 'MALFORMED', /weight_map/],
  [
    '2000 shards',
    Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [n, `${n}.safetensors`])),
    shards,
    'TOO_LARGE',
    /2000/,
  ],
])('refuses %s', async (_, map, files, code, message) => {
  await expect(open(indexOf(map), files)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test('refuses an index that is no JSON, or says two things', async () => {
  const text = (index: string) => new TextEncoder().encode(index);
  await expect(open(text('{'))).rejects.toMatchObject({ code: 'MALFORMED' });
  await expect(open(text(`{"weight_map":{"a":"${ONE}","a":"${TWO}"}}`))).rejects.toMatchObject({
    code: 'DUPLICATE_KEY',
  });
});

test('a file that becomes shorter after it was opened is noticed', async () => {
  const bytes = shards[ONE]!;
  let size = bytes.length;
  const checkpoint = await openSafetensors({
    size,
    read: async (offset, length) => bytes.slice(offset, Math.min(size, offset + length)),
  });
  size -= 2;
  expect((await checkpoint.tensor('a')).data).toEqual(Float32Array.of(1));
  await expect(checkpoint.tensor('b')).rejects.toMatchObject({ code: 'TRUNCATED' });
});

test('of a safetensors file only the header and the tensor asked for are read', async () => {
  const bytes = writeSafetensors(
    new Map([
      ['a', fromFloat32(new Float32Array(1e5), [1e5])],
      ['b', one(7)],
    ]),
  );
  const read: [number, number][] = [];
  const checkpoint = await openSafetensors({
    size: bytes.length,
    read: async (offset, length) => {
      read.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  });
  expect((await checkpoint.tensor('b')).data).toEqual(Float32Array.of(7));
  expect(read.slice(2)).toEqual([[bytes.length - 4, 4]]);
  expect(read[1]![1]).toBeLessThan(200);
});
