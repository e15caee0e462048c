import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LazyCheckpoint } from '../lazy-checkpoint.js';
import { openSafetensors } from '../open-safetensors.js';
import { openShards } from '../sharded-checkpoint.js';
import { openTorchCheckpoint, type TorchOptions } from '../torch-checkpoint.js';
import { WeightsError } from '../weights-error.js';
import { openFile } from './file-source.js';

/** A checkpoint behind open files. */
export interface FileCheckpoint extends LazyCheckpoint {
  /** Closes the files; `tensor` cannot be used afterwards. */
  close(): Promise<void>;
}

/** What a Hugging Face directory calls its weights, in the order in which transformers looks for them. */
const NAMES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/**
 * Opens one safetensors file by range.
 *
 * @throws WeightsError FILE_MISSING, and the errors of `readSafetensors` with the path before them
 * @example
 * const checkpoint = await openSafetensorsFile('encoder/model.safetensors');
 * const { data } = await checkpoint.tensor('layernorm.weight');
 * await checkpoint.close();
 */
export function openSafetensorsFile(path: string): Promise<FileCheckpoint> {
  return openWith(path, openSafetensors);
}

/**
 * Opens weights on disk by range, whatever their format: a safetensors file, a file of `torch.save` (.pth, .pt, .bin; told
 * by its first bytes), an index of shards (*.index.json), or a directory with one of them. In a directory,
 * model.safetensors, its index, pytorch_model.bin and its index are taken in this order, else its only weights file.
 *
 * @throws WeightsError FILE_MISSING where there is none or several to choose from, and the formats' errors with the path
 * before them
 * @example
 * const checkpoint = await openCheckpoint('encoders/dinov2-base');
 * const tensors = await readAllTensors(checkpoint);
 * await checkpoint.close();
 */
export async function openCheckpoint(
  directoryOrFile: string,
  options: TorchOptions = {},
): Promise<FileCheckpoint> {
  const isDirectory = await stat(directoryOrFile).then(
    (found) => found.isDirectory(),
    () => false, // openFile says what is wrong
  );
  const path = isDirectory ? await weightsIn(directoryOrFile) : directoryOrFile;
  return path.endsWith('.index.json') ? openIndex(path, options) : openAny(path, options);
}

async function weightsIn(directory: string): Promise<string> {
  const names = await readdir(directory);
  const usual = NAMES.find((name) => names.includes(name));
  if (usual) return join(directory, usual);
  const found = names.filter((name) => /\.(safetensors|pth|pt|bin)$/.test(name));
  if (found.length === 1) return join(directory, found[0]!);
  const what =
    found.length === 0 ? 'no weights' : `${found.length} weights files (${found.slice(0, 5).join(', ')})`;
  throw new WeightsError({
    code: 'FILE_MISSING',
    message: `${directory} has ${what} and none called ${NAMES.join(', ')}. Give the path of the file itself.`,
  });
}

function openAny(path: string, options: TorchOptions): Promise<FileCheckpoint> {
  return openWith(path, async (source) => {
    const start = await source.read(0, Math.min(2, source.size));
    const isZip = start[0] === 0x50 && start[1] === 0x4b;
    const isPickle = start[0] === 0x80 && start[1] !== undefined && start[1] <= 5;
    // a safetensors header of 640 bytes or more may start so as well; the file's name decides
    const isTorch = isZip || isPickle;
    return isTorch && !path.endsWith('.safetensors')
      ? openTorchCheckpoint(source, options)
      : openSafetensors(source);
  });
}

async function openIndex(path: string, options: TorchOptions): Promise<FileCheckpoint> {
  const opened: FileCheckpoint[] = [];
  const close = async () => {
    for (const shard of opened) await shard.close();
  };
  try {
    const index = await readIndex(path);
    const checkpoint = await openShards(index, async (file) => {
      const shard = await openAny(join(dirname(path), file), options);
      opened.push(shard);
      return shard;
    });
    return { ...checkpoint, close };
  } catch (error) {
    await close();
    throw WeightsError.about(basename(path), error);
  }
}

async function readIndex(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

async function openWith(
  path: string,
  open: (source: Awaited<ReturnType<typeof openFile>>) => Promise<LazyCheckpoint>,
): Promise<FileCheckpoint> {
  const file = await openFile(path);
  try {
    return { ...(await open(file)), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw WeightsError.about(path, error);
  }
}
