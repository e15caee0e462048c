import { type AdapterNaming, adapterFromFiles, adapterToFiles } from './adapter-files.js';
import type { Vit } from './vit.js';

/**
 * Writes adapter_config.json and adapter_model.safetensors into `directory`, as peft does (Node only; see
 * `adapterToFiles` elsewhere).
 *
 * @throws EncoderError NO_ADAPTER
 */
export async function saveAdapter(vit: Vit, directory: string, options: AdapterNaming = {}): Promise<void> {
  const { writeAdapterDirectory } = await import('./node/adapter-directory.js');
  await writeAdapterDirectory(directory, adapterToFiles(vit, options));
}

/**
 * Attaches the adapter in `directory`, written by `saveAdapter` or by peft (Node only; see `adapterFromFiles` elsewhere).
 *
 * @throws EncoderError as `adapterFromFiles`, and FILE_MISSING
 */
export async function loadAdapter(vit: Vit, directory: string): Promise<void> {
  const { readAdapterDirectory } = await import('./node/adapter-directory.js');
  adapterFromFiles(vit, await readAdapterDirectory(directory));
}
