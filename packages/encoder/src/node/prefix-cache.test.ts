import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PrefixCache, prefixKey } from './prefix-cache.js';

const SHAPE = [2, 5, 4];
const TOKENS = Float32Array.from({ length: 40 }, (_, index) => 10 * Math.sin(index));
const KEY = prefixKey({ pixels: Float32Array.of(1, 2), shape: [1, 2], weightsSha256: 'ab', frozenBlocks: 8 });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'onco-prefix-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('float32 comes back bit for bit, float16 to 5e-4 of its size in half the space', async () => {
  const exact = new PrefixCache({ directory: join(directory, 'exact'), precision: 'float32' });
  const half = new PrefixCache({ directory: join(directory, 'half') });
  expect(await exact.get(KEY)).toBeUndefined();
  await exact.put(KEY, TOKENS, SHAPE);
  await half.put(KEY, TOKENS, SHAPE);
  expect(await exact.get(KEY)).toEqual({ data: TOKENS, shape: SHAPE });
  const { data, shape } = (await half.get(KEY))!;
  expect(shape).toEqual(SHAPE);
  expect(
    data.every((value, index) => Math.abs(value - TOKENS[index]!) <= 5e-4 * Math.abs(TOKENS[index]!)),
  ).toBe(true);
  const size = (folder: string) => statSync(join(directory, folder, `${KEY}.safetensors`)).size;
  expect(size('exact') - size('half')).toBe(80);
  expect(
    await new PrefixCache({ directory: join(directory, 'half'), precision: 'float32' }).get(KEY),
  ).toBeUndefined();
});

test('values beyond float16 are kept', async () => {
  const cache = new PrefixCache({ directory });
  await cache.put(KEY, Float32Array.of(1, 70_000), [2]);
  expect((await cache.get(KEY))?.data).toEqual(Float32Array.of(1, 70_000));
});

test('the key depends on pixels, shape, weights and blocks', () => {
  const given = { pixels: Float32Array.of(1, 2), shape: [1, 2], weightsSha256: 'ab', frozenBlocks: 8 };
  const others = [
    { ...given, pixels: Float32Array.of(1, 2.0000002) },
    { ...given, shape: [2, 1] },
    { ...given, weightsSha256: 'ac' },
    { ...given, frozenBlocks: 9 },
  ].map(prefixKey);
  expect(prefixKey({ ...given, pixels: Float32Array.of(0, 1, 2).subarray(1) })).toBe(KEY);
  expect(new Set([KEY, ...others]).size).toBe(5);
});

test.each([
  [
    'a flipped bit in the data',
    (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 3]! ^= 1;
      writeFileSync(path, bytes);
    },
  ],
  [
    'a flipped shape',
    (path: string) => {
      writeFileSync(path, readFileSync(path, 'latin1').replace('[2,5,4]', '[5,2,4]'), 'latin1');
    },
  ],
  ['a cut end', (path: string) => truncateSync(path, 100)],
  ['an empty file', (path: string) => truncateSync(path, 0)],
])('%s makes the entry absent, is reported, and put repairs it', async (_, damage) => {
  const told: string[] = [];
  const cache = new PrefixCache({
    directory,
    precision: 'float32',
    onWarning: (warning) => told.push(warning),
  });
  await cache.put(KEY, TOKENS, SHAPE);
  damage(join(directory, `${KEY}.safetensors`));
  expect(await cache.get(KEY)).toBeUndefined();
  expect(cache.warnings).toHaveLength(1);
  expect(told).toEqual(cache.warnings);
  expect(told[0]).toContain(KEY);
  await cache.put(KEY, TOKENS, SHAPE);
  expect((await cache.get(KEY))?.data).toEqual(TOKENS);
});

test('beyond the limit the entries used longest ago go', async () => {
  const keys = [1, 2, 3].map((value) =>
    prefixKey({ pixels: Float32Array.of(value), shape: [1], weightsSha256: '', frozenBlocks: 1 }),
  );
  const path = (key: string | undefined) => join(directory, `${key}.safetensors`);
  const cache = new PrefixCache({ directory, precision: 'float32', limitBytes: 800 }); // an entry has 336 bytes
  await cache.put(keys[0]!, TOKENS, SHAPE);
  await cache.put(keys[1]!, TOKENS, SHAPE);
  utimesSync(path(keys[0]), 1000, 1000);
  utimesSync(path(keys[1]), 2000, 2000);
  await cache.get(keys[0]!); // now the second one is older
  writeFileSync(join(directory, '.left-behind.tmp'), 'x');
  utimesSync(join(directory, '.left-behind.tmp'), 1000, 1000);
  await cache.put(keys[2]!, TOKENS, SHAPE);
  expect(readdirSync(directory).sort()).toEqual([`${keys[0]}.safetensors`, `${keys[2]}.safetensors`].sort());
});

test('many writers of one entry leave one whole entry', async () => {
  const caches = Array.from({ length: 8 }, () => new PrefixCache({ directory, precision: 'float32' }));
  await Promise.all(caches.map((cache) => cache.put(KEY, TOKENS, SHAPE)));
  expect(readdirSync(directory)).toEqual([`${KEY}.safetensors`]);
  expect((await caches[0]!.get(KEY))?.data).toEqual(TOKENS);
});

test('a key that is not a hash is refused: it would be a path', async () => {
  const cache = new PrefixCache({ directory });
  await expect(cache.get('../outside')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
