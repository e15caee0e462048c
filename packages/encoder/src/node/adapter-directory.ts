import { join } from 'node:path';
import type { AdapterFiles } from '../adapter-files.js';
import { parseJson, readRequired, writeWhole } from './files.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

export async function readAdapterDirectory(directory: string): Promise<AdapterFiles> {
  const advice = `An adapter directory holds ${CONFIG} and ${WEIGHTS}.`;
  const configPath = join(directory, CONFIG);
  const config = parseJson(configPath, await readRequired(configPath, advice));
  return { config, weights: await readRequired(join(directory, WEIGHTS), advice) };
}

/** The weights go first: a directory with a configuration is then complete. */
export async function writeAdapterDirectory(
  directory: string,
  { config, weights }: AdapterFiles,
): Promise<void> {
  await writeWhole(join(directory, WEIGHTS), weights);
  await writeWhole(join(directory, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}
