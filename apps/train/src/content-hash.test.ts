import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentHash } from './content-hash.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-hash-'));
  await mkdir(join(folder, 'series', 'deep'), { recursive: true });
  await writeFile(join(folder, 'series', 'b.dcm'), 'two');
  await writeFile(join(folder, 'series', 'deep', 'a.dcm'), 'one');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a file's hash is that of its bytes", async () => {
  await writeFile(join(folder, 'x'), 'abc');
  expect(await contentHash(join(folder, 'x'))).toBe(createHash('sha256').update('abc').digest('hex'));
});

test("a folder's hash stays where it is moved to, and changes with any name or byte in it", async () => {
  const before = await contentHash(join(folder, 'series'));
  await rename(join(folder, 'series'), join(folder, 'moved'));
  expect(await contentHash(join(folder, 'moved'))).toBe(before);
  await rename(join(folder, 'moved', 'b.dcm'), join(folder, 'moved', 'c.dcm'));
  const renamed = await contentHash(join(folder, 'moved'));
  expect(renamed).not.toBe(before);
  await writeFile(join(folder, 'moved', 'deep', 'a.dcm'), 'One');
  expect(await contentHash(join(folder, 'moved'))).not.toBe(renamed);
});
