import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import {
  type BundleDescription,
  type BundleFiles,
  bundleFromFiles,
  bundleToFiles,
  type LoadedBundle,
  type ReferenceEmbeddings,
} from './bundle.js';
import type { ResponseModel } from './response-model.js';
import { ResponseModelError } from './response-model-error.js';

/**
 * Writes a bundle directory: complete or not at all (written beside, flushed, renamed). It carries the encoder's own
 * files, so it predicts on a machine that has nothing else.
 * @param encoderDirectory the Hugging Face directory that the model's encoder was loaded from
 * @param embeddings of the cases behind the model; they travel with the bundle, so leave them out where not even
 *   those numbers may
 */
export async function saveBundle(
  directory: string,
  model: ResponseModel,
  metadata: BundleDescription,
  encoderDirectory: string,
  embeddings?: ReferenceEmbeddings,
): Promise<void> {
  const files = await bundleToFiles(model, metadata, await readFiles(encoderDirectory), embeddings);
  const target = resolve(directory);
  const partial = `${target}.partial-${process.pid}`;
  await mkdir(dirname(target), { recursive: true });
  // what a process that was killed here left behind
  const left = (await readdir(dirname(target))).filter((name) =>
    name.startsWith(`${basename(target)}.partial-`),
  );
  for (const name of left) await rm(join(dirname(target), name), { recursive: true, force: true });
  for (const [name, bytes] of files) {
    const path = join(partial, name);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'w');
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
  }
  await rm(directory, { recursive: true, force: true });
  await rename(partial, directory);
}

/**
 * Reads a bundle directory into a model ready to predict.
 * @throws ResponseModelError MISSING_FILE when there is no bundle there, and what `bundleFromFiles` throws
 */
export async function loadBundle(directory: string): Promise<LoadedBundle> {
  let files: BundleFiles;
  try {
    files = await readFiles(directory);
  } catch (cause) {
    throw new ResponseModelError({
      code: 'MISSING_FILE',
      message: `${directory} is not a bundle directory (onco-train fit writes one as RUN/bundle)`,
      cause,
    });
  }
  return bundleFromFiles(files);
}

async function readFiles(directory: string): Promise<BundleFiles> {
  const files: BundleFiles = new Map();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || basename(entry.name).startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path).split(sep).join('/'), await readFile(path));
  }
  return files;
}
