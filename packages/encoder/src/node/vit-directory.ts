import { join } from 'node:path';
import type { VitFiles } from '../load-vit.js';
import { parseJson, readIfThere, readRequired } from './files.js';

const ADVICE =
  'A Hugging Face model directory with config.json and model.safetensors in one file is needed; pytorch_model.bin is not read.';

/** Reads config.json, model.safetensors and, where there is one, preprocessor_config.json. */
export async function readVitDirectory(directory: string): Promise<VitFiles> {
  const configPath = join(directory, 'config.json');
  const preprocessorPath = join(directory, 'preprocessor_config.json');
  const config = parseJson(configPath, await readRequired(configPath, ADVICE));
  const weights = await readRequired(join(directory, 'model.safetensors'), ADVICE);
  const preprocessor = await readIfThere(preprocessorPath);
  return preprocessor
    ? { config, weights, preprocessor: parseJson(preprocessorPath, preprocessor) }
    : { config, weights };
}
