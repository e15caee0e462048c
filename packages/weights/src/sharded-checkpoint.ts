import { findRepeatedKey } from './json-keys.js';
import { entryOf, type LazyCheckpoint, type TensorInfo } from './lazy-checkpoint.js';
import { isObject } from './safetensors-header.js';
import { shown } from './shown.js';
import { WeightsError, type WeightsErrorCode } from './weights-error.js';

/** One line a tensor: real indices stay under 1 MB. */
const MAX_INDEX_BYTES = 25_000_000;
/** The largest published models have 200 shards. */
const MAX_SHARDS = 1000;
/** So many names are printed before "...". */
const MAX_NAMES = 8;

function fail(code: WeightsErrorCode, message: string, cause?: unknown): never {
  throw new WeightsError({ code, message: `sharded checkpoint: ${message}`, cause });
}

/** Which shard holds each tensor, from the text of model.safetensors.index.json. */
export function readShardIndex(bytes: Uint8Array): Map<string, string> {
  if (bytes.length > MAX_INDEX_BYTES) fail('TOO_LARGE', `an index of ${bytes.length} bytes.`);
  let index: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    index = JSON.parse(text);
  } catch (cause) {
    return fail('MALFORMED', 'the index is not valid UTF-8 JSON.', cause);
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) fail('DUPLICATE_KEY', `the index has the key "${repeated}" twice.`);
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) return fail('MALFORMED', 'the index has no weight_map.');
  for (const [name, file] of Object.entries(map)) {
    // a name with a folder in it could point anywhere
    if (typeof file !== 'string' || !/^[\w.-]+$/.test(file) || file.startsWith('.')) {
      fail('MALFORMED', `"${name}" is said to be in ${shown(file)}, which is no plain file name.`);
    }
  }
  return new Map(Object.entries(map as Record<string, string>));
}

/**
 * Opens a checkpoint of several files by its index (model.safetensors.index.json). Index and shards have to agree
 * exactly: every tensor is in the shard that the index names, and in no other, and no shard holds a tensor that the
 * index does not name.
 *
 * @param index the bytes of the index
 * @param openShard opens the file of that name, for instance with `openSafetensors`
 * @throws WeightsError MISSING_KEYS, UNEXPECTED_KEYS, DUPLICATE_KEY, MALFORMED or TOO_LARGE, and what `openShard` throws,
 * with the shard's name before it
 * @example
 * const checkpoint = await openShards(index, async (file) => openSafetensors(await sourceOf(file)));
 * await checkpoint.tensor('encoder.layer.0.norm1.weight');
 */
export async function openShards(
  index: Uint8Array,
  openShard: (file: string) => Promise<LazyCheckpoint>,
): Promise<LazyCheckpoint> {
  const fileOf = readShardIndex(index);
  const files = [...new Set(fileOf.values())].sort();
  if (files.length > MAX_SHARDS) fail('TOO_LARGE', `${files.length} shards, the limit is ${MAX_SHARDS}.`);
  const shards = new Map<string, LazyCheckpoint>();
  for (const file of files) {
    shards.set(file, await about(file, openShard(file)));
  }
  checkShards(fileOf, shards);
  const entries = new Map<string, TensorInfo>();
  for (const [name, file] of fileOf) entries.set(name, shards.get(file)!.entries.get(name)!);
  const metadata: Record<string, string> = {};
  for (const shard of shards.values()) Object.assign(metadata, shard.metadata);
  return {
    entries,
    metadata,
    async tensor(name) {
      entryOf(entries, name);
      const file = fileOf.get(name)!;
      return about(file, shards.get(file)!.tensor(name));
    },
  };
}

function checkShards(fileOf: ReadonlyMap<string, string>, shards: ReadonlyMap<string, LazyCheckpoint>): void {
  for (const [file, shard] of shards) {
    const missing: string[] = [];
    for (const [name, place] of fileOf) if (place === file && !shard.entries.has(name)) missing.push(name);
    if (missing.length > 0) {
      fail(
        'MISSING_KEYS',
        `${file} lacks ${missing.length} tensors that the index places there: ${list(missing)}.`,
      );
    }
    const strangers = [...shard.entries.keys()].filter((name) => fileOf.get(name) !== file);
    const twice = strangers.filter((name) => fileOf.has(name));
    if (twice.length > 0) {
      const other = fileOf.get(twice[0]!);
      fail(
        'DUPLICATE_KEY',
        `${file} also holds ${twice.length} tensors of ${other} and others: ${list(twice)}.`,
      );
    }
    if (strangers.length > 0) {
      fail(
        'UNEXPECTED_KEYS',
        `${file} holds ${strangers.length} tensors that the index does not name: ${list(strangers)}.`,
      );
    }
  }
}

function list(names: readonly string[]): string {
  return names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', ...' : '');
}

async function about<Result>(file: string, result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw WeightsError.about(file, error);
  }
}
